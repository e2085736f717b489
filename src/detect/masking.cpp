// Findings turned into masked values.
#include "detect/masking.hpp"

#include "detect/detector.hpp"
#include "detect/json_parts.hpp"

#include <cstring>
#include <new>
#include <string>

namespace hoopguard::detect {

namespace {

constexpr std::size_t kKeptMemory = std::size_t{1} << 20;

// What is used again from value to value.
struct Workspace {
    Findings findings;
    JsonParts json;
    std::string masked;
    bool found = false;
};

Workspace& workspace() {
    static auto* const made = new Workspace;
    return *made;
}

void append_tag(std::string& to, Kind kind) {
    to.push_back('[');
    to.append(name_of(kind));
    to.push_back(']');
}

bool mask_json(Workspace& work, std::string_view text) {
    if (!work.json.find(Detector::of_process(), text)) return false;
    std::size_t at = 0;
    for (const JsonParts::Part& part : work.json.parts()) {
        work.masked.append(text.substr(at, part.finding.begin - at));
        if (part.number)
            work.masked.push_back('0');
        else
            append_tag(work.masked, part.finding.kind);
        at = part.finding.end;
    }
    work.found = !work.json.parts().empty();
    if (work.found) work.masked.append(text.substr(at));
    return true;
}

void mask_text(Workspace& work, std::string_view text) {
    work.findings.clear();
    Detector::of_process().find(text, work.findings);
    std::size_t at = 0;
    for (const Finding& one : work.findings) {
        work.masked.append(text.substr(at, one.begin - at));
        append_tag(work.masked, one.kind);
        at = one.end;
    }
    work.found = !work.findings.empty();
    if (work.found) work.masked.append(text.substr(at));
}

}  // namespace

std::size_t measure_masked(std::string_view text, Content content, bool (*ended)() noexcept) noexcept {
    try {
        Patience const patience(ended);
        Workspace& work = workspace();
        work.masked.clear();
        work.found = false;
        if (content == Content::kText || !mask_json(work, text)) {
            work.masked.clear();
            mask_text(work, text);
        }
        return work.found ? work.masked.size() : text.size();
    } catch (const std::bad_alloc&) {
        return kCannot;
    } catch (const GivenUp&) {
        return kCannot;
    }
}

bool anything_found() noexcept {
    return workspace().found;
}

void write_masked(std::string_view text, char* out) noexcept {
    Workspace& work = workspace();
    std::string_view const masked = work.found ? std::string_view(work.masked) : text;
    if (!masked.empty()) std::memcpy(out, masked.data(), masked.size());
    if (work.masked.capacity() > kKeptMemory) std::string().swap(work.masked);
}

}  // namespace hoopguard::detect
