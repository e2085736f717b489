#include "identify/saml_pg.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "identify/certificates.hpp"
#include "identify/mapping.hpp"
#include "identify/spent_assertions.hpp"
#include "pg/boundary.hpp"
#include "pg/program.hpp"
#include "policy/standing_pg.hpp"

#include <vector>

extern "C" {
#include "miscadmin.h"
}

namespace hoopguard::identify {
namespace {

using policy::ProviderField;

constexpr std::size_t kLongestAnswer = 512 << 10;
constexpr int kPatience = 5000;  // milliseconds

std::vector<policy::Row> saml_providers(const policy::Image& image) {
    std::vector<policy::Row> found;
    const policy::Section rows = image.section(policy::SectionId::kProviders);
    for (std::uint32_t i = 0; i < rows.size(); ++i)
        if (rows[i].word(ProviderField::kEnabled) != 0 && rows[i].text(ProviderField::kKind) == "saml")
            found.push_back(rows[i]);
    return found;
}

std::string describe(const policy::Row& provider) {
    base::JsonWriter json;
    json.text("issuer", provider.text(ProviderField::kIssuer));
    json.texts("algorithms", provider.texts(ProviderField::kAlgorithms));
    std::vector<std::string> certificates;
    if (const auto ders = parse_certificates(provider.text(ProviderField::kJwks)))
        for (const base::Bytes& der : *ders) certificates.push_back(base::to_base64(der));
    json.texts("certificates", certificates);
    return json.object();
}

std::string question(const std::vector<policy::Row>& providers, const std::string& response) {
    std::string list;
    for (const policy::Row& provider : providers) list += (list.empty() ? "" : ",") + describe(provider);
    base::JsonWriter json;
    json.text("response", response);
    json.json("providers", "[" + list + "]");
    return json.object();
}

pg::Program program(std::string argument) {
    return {std::string(pkglib_path) + "/hoopguard-saml", std::move(argument), kLongestAnswer, kPatience};
}

struct Answer {
    std::size_t provider = 0;
    Assertion assertion;
};

base::Result<Answer> read_answer(const std::string& text) {
    const auto json = base::Json::parse(text);
    if (!json) return base::fail("hoopguard-saml does not answer in JSON");
    const base::Json* const reason = json->member("reason");
    if (reason != nullptr && reason->text() != nullptr) return base::fail(*reason->text());
    const base::Json* const provider = json->member("provider");
    const base::Json* const assertion = json->member("assertion");
    if (provider == nullptr || provider->number() == nullptr || assertion == nullptr)
        return base::fail("hoopguard-saml does not answer");
    auto read = Assertion::from_json(*assertion);
    if (!read) return read.error();
    return Answer{static_cast<std::size_t>(*provider->number()), std::move(*read)};
}

// Once only, and on record for as long as it could be sent again.
base::Status spend(const policy::Row& provider, const Assertion& assertion, std::int64_t until, std::int64_t now) {
    const SpentAssertions spent(policy::store().directory());
    const auto first = spent.spend(provider.text(ProviderField::kName), assertion.id, until, now);
    if (!first) return base::fail("whether the assertion was used before is not known: " + first.error().message);
    if (!*first) return base::fail("the assertion was used before");
    return {};
}

SamlVerdict refused(std::string reason) {
    SamlVerdict verdict;
    verdict.reason = std::move(reason);
    return verdict;
}

}  // namespace

SamlVerdict verify_saml_response(const policy::Image& image, const std::string& response, std::int64_t now) {
    if (response.size() > kLongestResponse)
        return refused("the SAML response has more than " + std::to_string(kLongestResponse) + " bytes");
    const std::vector<policy::Row> providers = saml_providers(image);
    if (providers.empty()) return refused("the cluster knows no SAML provider");
    const auto said = pg::run_program(program(""), question(providers, response));
    if (!said) return refused("the SAML response cannot be verified: " + said.error().message);
    const auto answer = read_answer(*said);
    if (!answer) return refused(answer.error().message);
    if (answer->provider >= providers.size()) return refused("hoopguard-saml names no provider");
    const policy::Row& provider = providers[answer->provider];
    AssertionVerdict verdict = verify(answer->assertion, rules_of(provider), now);
    if (!verdict.accepted) return refused(std::move(verdict.reason));
    if (const auto status = spend(provider, answer->assertion, verdict.good_until, now); !status)
        return refused(status.error().message);
    return {provider, std::move(verdict.identity), {}};
}

base::Result<std::string> saml_program_version() {
    auto said = pg::run_program(program("--version"), {});
    if (said && said->ends_with('\n')) said->pop_back();
    return said;
}

}  // namespace hoopguard::identify
