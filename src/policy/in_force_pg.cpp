// Mapping the image of the published generation.
#include "policy/in_force_pg.hpp"

#include "pg/boundary.hpp"
#include "pg/compat.hpp"
#include "pg/report.hpp"
#include "policy/standing_pg.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

extern "C" {
#include "access/xlog.h"
}

namespace hoopguard::policy {

namespace {

// What this process has mapped. Made on first use: a process that forks later has mapped nothing.
struct Held {
    MappedFile file;
    Image image;
    std::uint64_t generation = 0;
};

Held& held() {
    static Held one;
    return one;
}

// What a policy says. The built-in data classes and the index of roles are there without one.
constexpr SectionId kSaying[] = {SectionId::kGuardrails, SectionId::kActors,       SectionId::kLockedActors,
                                 SectionId::kGrants,     SectionId::kMaskPolicies, SectionId::kProviders,
                                 SectionId::kRoleMaps};
constexpr int kTries = 10;
constexpr const char* kRemedy =
    "A superuser on a local socket is never refused for this. See the server's log about the hoopguard broker, "
    "and "
    "that hoopguard.database names the control database.";

[[noreturn]] void refuse(const std::string& why) {
    throw pg::Refusal(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "hoopguard cannot read the policy in force",
                      pg::format("%s", why.c_str()), kRemedy);
}

// The broker removes old images: a generation that is gone has been followed by another.
[[gnu::noinline]] void map(Held& now) {
    base::Error last;
    for (int i = 0; i < kTries; ++i) {
        auto const generation = generation_in_force();
        auto file = MappedFile::open(store().image_path(generation));
        if (!file) {
            last = file.error();
            if (last.number == ENOENT && generation != generation_in_force()) continue;
            refuse(last.message);
        }
        auto image = Image::open(file->bytes());
        if (!image) refuse(image.error().message);
        if (image->system_identifier() != GetSystemIdentifier())
            refuse("The policy image belongs to another cluster.");
        now.image = *image;
        now.file = std::move(*file);
        now.generation = generation;
        return;
    }
    refuse(last.message);
}

[[gnu::noinline]] void settle() {
    wait_until_settled();
    if (!is_settled() && was_stale_at_start())
        refuse(
            "A change of policy was being committed when the server stopped, and the broker has not compiled it.");
}

}  // namespace

[[gnu::hot]] const Image* in_force() {
    static bool settled = false;
    if (!settled) {
        settle();
        settled = is_settled();
    }
    auto& now = held();
    auto const generation = generation_in_force();
    if (generation == 0) return nullptr;
    if (generation != now.generation) map(now);
    return &now.image;
}

const Image* in_force_or_none() {
    try {
        return in_force();
    } catch (const pg::Refusal&) {
        return nullptr;
    }
}

bool holds_anything() {
    auto const* const image = in_force();
    if (image == nullptr) return false;
    return std::ranges::any_of(kSaying, [image](SectionId id) { return image->section(id).size() != 0; });
}

}  // namespace hoopguard::policy
