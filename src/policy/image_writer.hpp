// Writing a policy image. Equal texts are stored once; equal policy gives equal bytes, but for generation and
// time.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "policy/sections.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hoopguard::policy {

class ImageWriter;

// The rows of one section as they are written; every field of a row starts as null or 0.
class SectionWriter {
 public:
    template <class Field>
    void word(Field field, std::uint64_t value) {
        set(static_cast<std::size_t>(field), value);
    }
    template <class Field>
    void real(Field field, double value) {
        set(static_cast<std::size_t>(field), __builtin_bit_cast(std::uint64_t, value));
    }
    template <class Field>
    void text(Field field, std::string_view value) {
        set(static_cast<std::size_t>(field), pack_text(value));
    }
    template <class Field>
    void text(Field field, const std::string& value) {
        text(field, std::string_view(value));
    }
    template <class Field>
    void text(Field field, const std::optional<std::string>& value) {
        if (value) text(field, std::string_view(*value));
    }
    template <class Field>
    void texts(Field field, const std::vector<std::string>& values) {
        set(static_cast<std::size_t>(field), pack_texts(values));
    }
    template <class Field>
    void texts(Field field, const std::optional<std::vector<std::string>>& values) {
        if (values) texts(field, *values);
    }
    template <class Field>
    void numbers(Field field, const std::vector<std::uint32_t>& values) {
        set(static_cast<std::size_t>(field), pack_numbers(values));
    }
    // Begins the next row; call before the fields of each row.
    void add_row();

 private:
    friend class ImageWriter;
    SectionWriter(ImageWriter& writer, SectionId id) : writer_(&writer), id_(id) {}
    void set(std::size_t field, std::uint64_t slot) { slots_[slots_.size() - width() + field] = slot; }
    std::size_t width() const { return schema_of(id_).size(); }
    std::uint64_t pack_text(std::string_view value);
    std::uint64_t pack_texts(const std::vector<std::string>& values);
    std::uint64_t pack_numbers(const std::vector<std::uint32_t>& values);

    ImageWriter* writer_;
    SectionId id_;
    std::vector<std::uint64_t> slots_;
};

class ImageWriter {
 public:
    ImageWriter() = default;
    ImageWriter(const ImageWriter&) = delete;
    ImageWriter& operator=(const ImageWriter&) = delete;

    // A new section; write all of its rows before the next one is asked for. Valid until then.
    SectionWriter& section(SectionId id);

    // The image. `created_at`: nanoseconds since 1970-01-01 UTC. Fails when the policy exceeds 4 GB of text.
    base::Result<base::Bytes> finish(std::uint64_t generation, std::uint64_t system_identifier,
                                     std::uint64_t created_at) const;

 private:
    friend class SectionWriter;
    std::vector<SectionWriter> sections_;
    std::string texts_;
    std::unordered_map<std::string, std::uint64_t> known_;
    std::vector<std::uint64_t> items_;
};

// Whether two images hold the same policy, whatever their generation and time.
bool same_policy(base::ByteView one, base::ByteView other) noexcept;

}  // namespace hoopguard::policy
