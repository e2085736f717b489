// Token boundaries as PostgreSQL's scanner draws them.
#include "record/sql_lexer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using hoopguard::record::first_statement;
using hoopguard::record::SqlLexer;
using hoopguard::record::Token;
using hoopguard::record::TokenKind;

std::vector<std::string> tokens(std::string_view text, bool standard_strings = true) {
    SqlLexer lexer(text, standard_strings);
    std::vector<std::string> out;
    for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
        if (token.kind != TokenKind::kComment) out.emplace_back(lexer.text(token));
    return out;
}

using Texts = std::vector<std::string>;

TEST(SqlLexerTest, WordsNumbersParametersAndTheRest) {
    EXPECT_EQ(tokens("SELECT a$1, $12+3.5 FROM t_1;"),
              (Texts{"SELECT", "a$1", ",", "$12", "+", "3.5", "FROM", "t_1", ";"}));
    EXPECT_EQ(tokens("grün"), (Texts{"grün"}));
}

TEST(SqlLexerTest, StringsOfEveryKind) {
    EXPECT_EQ(tokens("'it''s' E'a\\'b' U&'\\0041' B'01' x'ff' N'n'"),
              (Texts{"'it''s'", "E'a\\'b'", "U&'\\0041'", "B'01'", "x'ff'", "N'n'"}));
    EXPECT_EQ(tokens("\"a\"\"b\" U&\"c\""), (Texts{"\"a\"\"b\"", "U&\"c\""}));
    EXPECT_EQ(tokens("$$a'b$$ $tag$ $$ $tag$"), (Texts{"$$a'b$$", "$tag$ $$ $tag$"}));
}

TEST(SqlLexerTest, BackslashesDependOnTheSetting) {
    EXPECT_EQ(tokens("'a\\' 'b'", true), (Texts{"'a\\'", "'b'"}));
    EXPECT_EQ(tokens("'a\\' 'b'", false), (Texts{"'a\\' '", "b'"}));
}

TEST(SqlLexerTest, CommentsNest) {
    EXPECT_EQ(tokens("a /* x /* y */ ' */ b -- c '\nd"), (Texts{"a", "b", "d"}));
}

TEST(SqlLexerTest, WhatBreaksOffGoesToTheEnd) {
    for (const char* text :
         {"'abc", "E'abc\\", "\"abc", "$x$abc", "/* abc", "/*", "-- abc", "U&'abc", "$", "'", "\""})
        for (auto const& token : tokens(text)) EXPECT_TRUE(std::string_view(text).ends_with(token)) << text;
}

TEST(SqlLexerTest, TheFirstStatementEndsAtItsSemicolon) {
    EXPECT_EQ(first_statement("SELECT ';' /* ; */ ; SELECT 2", true), "SELECT ';' /* ; */ ");
    EXPECT_EQ(first_statement("SELECT $$;$$", true), "SELECT $$;$$");
}

}  // namespace
