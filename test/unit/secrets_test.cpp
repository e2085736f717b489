// No way of writing a password or token into a statement may show it in what is recorded.
#include "record/secrets.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

namespace {

using namespace hoopguard::record;

std::string clean(std::string_view text, bool standard_strings = true) {
    Secrets const secrets = find_secrets(text, standard_strings);
    EXPECT_TRUE(secrets.empty() || may_hold_secret(text)) << text;
    return without_spans(text, secrets.spans);
}

const char* const kLeaks[] = {
    "CREATE ROLE joe LOGIN PASSWORD 's3cret'",
    "create user joe encrypted password E's3cret'",
    "ALTER USER joe WITH PASSWORD $$s3cret$$ VALID UNTIL '2030-01-01'",
    "ALTER ROLE joe PASSWORD U&'s3cret' UESCAPE '!'",
    "ALTER ROLE joe PASSWORD /* new */ -- one\n 's3cret'",
    "ALTER ROLE joe PASSWORD 'part one'\n  's3cret'",
    "ALTER ROLE joe PASSWORD 's3cret",
    "ALTER ROLE joe PASSWORD \"s3cret\"",
    "ALTER ROLE joe PASSWORD s3cret",
    "ALTER ROLE joe PASSWORD = 's3cret'",
    "ALTER ROLE joe PASSWORD is s3cret VALID UNTIL 'tomorrow'",
    "ALTR ROLE joe PASSWORD s3cret",
    "ALTER ROLE joe PASWORD 'x' PASSWORD 's3cret' nonsense",
    "ALTER ROLE joe PASWORD 's3cret'",
    "CREATE USER joe PASSWROD E's3cret' VALID UNTIL 'x'",
    "ALTER  ROLE joe PASWORD 's3cret'",
    "ALTER\tUSER joe PASWORD 's3cret'",
    "CREATE/**/GROUP joe PASWORD 's3cret'",
    "ALTR \"ROLE\" joe PASWORD $$s3cret$$",
    "CREATE SUBSCRIPTION s CONECTION 'host=a\\' passwort=s3cret'",
    "SELECT 1; ALTER GROUP g PASSWORD 's3cret'; SELECT 2",
    "-- ALTER ROLE joe PASSWORD 's3cret'\nSELECT 1",
    "/* ALTER ROLE joe PASSWORD 's3cret' */ SELECT 1",
    "DO $$BEGIN ALTER ROLE joe PASSWORD 's3cret'; END$$",
    "DO $a$BEGIN EXECUTE $b$ALTER ROLE joe PASSWORD 's3cret'$b$; END$a$",
    "DO 'BEGIN ALTER ROLE joe PASSWORD ''s3cret''; END'",
    "DO E'BEGIN ALTER ROLE joe PASSWORD \\'s3cret\\'; END'",
    "DO $$BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', 'joe', 's3cret'); END$$",
    "DO $$DECLARE pw text := 's3cret'; BEGIN EXECUTE 'ALTER USER joe PASSWORD ' || quote_literal(pw); END$$",
    "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ALTER ROLE joe PASSWORD 's3cret'$$",
    "CREATE SUBSCRIPTION s CONNECTION 'host=a user=b password=s3cret dbname=c' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION 'host=a password = s3cret' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION 'password=''two s3cret words'' host=a' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION host=a password=s3cret PUBLICATION p",
    "ALTER SUBSCRIPTION s CONNECTION 'postgresql://joe:s3cret@host/db'",
    "ALTER SUBSCRIPTION s CONNECTION 'postgresql://host/db?user=joe&password=s3cret&x=y'",
    "CREATE USER MAPPING FOR joe SERVER s OPTIONS (user 'u', password 's3cret')",
    "ALTER USER MAPPING FOR joe SERVER s OPTIONS (SET password 's3cret')",
    "CREATE USER MAPPING FOR joe SERVER s OPTIONS (user 'u', \"password\" 's3cret')",
    "CREATE USER MAPPING FOR joe SERVER s OPTIONS (aws_secret 's3cret')",
    "SELECT dblink_connect('c', 'host=a password=s3cret')",
    "SELECT * FROM dblink('host=a PASSWORD=s3cret', 'SELECT 1') AS t(a int)",
    "SELECT dblink_connect(E'host=a password=\\'s3cret\\'')",
    "ALTER SYSTEM SET primary_conninfo = 'host=a password=s3cret'",
    "SELECT hoopguard.login('s3cret')",
    "SELECT hoopguard.login($1, 's3cret')",
    "SELECT \"hoopguard\".\"login\"($tok$s3cret$tok$)",
    "SELECT hoopguard.U&\"\\006cogin\"('s3cret')",
    "SELECT (hoopguard.issue_credential(trim('s3cret'))).password",
    "SELECT hoopguard.login('s3cret",
    "SELECT set_config('app.jwt', 'eyJhbGciOiJI.eyJzdWIi.s3cret', false)",
    "SELECT eyJhbGciOiJI.eyJzdWIi.s3cret",
    "SELECT f(password => 's3cret')",
    "DO $$DECLARE password text; BEGIN password := 's3cret'; END$$",
};

TEST(SecretsTest, NothingLeaks) {
    for (const char* text : kLeaks) {
        std::string const cleaned = clean(text);
        EXPECT_EQ(cleaned.find("s3cret"), std::string::npos) << text << "\n became " << cleaned;
        EXPECT_NE(cleaned.find(kSecretMark), std::string::npos) << text;
    }
}

TEST(SecretsTest, NothingLeaksWithBackslashesInPlainStrings) {
    for (const char* text : {"ALTER ROLE joe PASSWORD 'x\\'s3cret'", "SELECT hoopguard.login('x\\'s3cret')",
                             "DO 'BEGIN ALTER ROLE joe PASSWORD \\'s3cret\\'; END'"})
        for (bool standard_strings : {false, true}) {
            std::string const cleaned = clean(text, standard_strings);
            EXPECT_EQ(cleaned.find("s3cret"), std::string::npos) << text << "\n became " << cleaned;
        }
}

TEST(SecretsTest, WhatIsAroundASecretStays) {
    EXPECT_EQ(clean("ALTER ROLE joe PASSWORD 's3cret' VALID UNTIL '2030-01-01'"),
              "ALTER ROLE joe PASSWORD '***' VALID UNTIL '2030-01-01'");
    EXPECT_EQ(clean("SELECT dblink_connect('host=a password=s3cret dbname=b')"),
              "SELECT dblink_connect('host=a password=*** dbname=b')");
    EXPECT_EQ(clean("SELECT hoopguard.login('s3cret'), 'kept'"), "SELECT hoopguard.login('***'), 'kept'");
}

TEST(SecretsTest, OrdinaryStatementsAreLeftAlone) {
    for (const char* text :
         {"SELECT password FROM users WHERE id = 1", "SELECT u.\"user\", password FROM users u",
          "UPDATE users SET password_hash = 'abc' WHERE name = 'joe'", "ALTER ROLE joe PASSWORD NULL",
          "CREATE TABLE accounts (role text, password text NOT NULL)", "ALTER ROLE joe VALID UNTIL '2030-01-01'",
          "SELECT 'https://example.com/a?b=c'", "SELECT token, secret FROM t WHERE login = 'joe'",
          "GRANT SELECT (password) ON users TO role_a", "CREATE ROLE joe LOGIN IN ROLE a, b",
          "ALTER ROLE joe SET application_name TO 'x'", "COMMENT ON ROLE joe IS 'a person'", "SET ROLE 'joe'",
          "DROP ROLE joe; SELECT 'x'", "CREATE USER MAPPING FOR joe SERVER s OPTIONS (user 'u')",
          "SELECT date '2030-01-01'", "INSERT INTO users (\"user\", password) VALUES ($1, $2)"})
        EXPECT_EQ(clean(text), text);
}

TEST(SecretsTest, ParametersOfCallsThatTakeTokens) {
    Secrets const secrets = find_secrets("SELECT hoopguard.login($2), $1", true);
    EXPECT_TRUE(secrets.hides(2));
    EXPECT_FALSE(secrets.hides(1));
    EXPECT_FALSE(secrets.empty());
}

TEST(SecretsTest, BoundValues) {
    auto const cleaned = [](std::string_view value) { return without_spans(value, find_value_secrets(value)); };
    EXPECT_EQ(cleaned("host=a password=s3cret user=b"), "host=a password=*** user=b");
    EXPECT_EQ(cleaned("postgres://u:s3cret@h/d"), "postgres://u:***@h/d");
    EXPECT_EQ(cleaned("Bearer eyJhbGciOiJI.eyJzdWIi.c2ln"), "Bearer ***");
    EXPECT_EQ(cleaned("plain"), "plain");
}

// At whatever byte of base64's groups of three its namespace begins, and broken into lines or not.
TEST(SecretsTest, SamlResponses) {
    for (std::string before : {"<a xmlns='", " <a xmlns='", "  <a xmlns='"}) {
        std::string const xml = before + "urn:oasis:names:tc:SAML:2.0:assertion'>dana</a>";
        std::string base64 = hoopguard::base::to_base64(hoopguard::base::bytes_of(xml));
        for (int i = 0; i < 2; ++i) {
            EXPECT_TRUE(may_hold_secret(base64));
            EXPECT_TRUE(may_hold_token(base64));
            EXPECT_EQ(clean("SELECT f('" + base64 + "')"), "SELECT f('***')");
            EXPECT_EQ(without_spans("x " + base64 + " y", find_value_secrets("x " + base64 + " y")), "x *** y");
            base64.insert(20, "\r\n");
        }
    }
    EXPECT_FALSE(may_hold_token("SELECT 'urn:oasis:names:tc:SAML:2.0:assertion'"));
}

TEST(SecretsTest, MessagesThatQuoteASecret) {
    std::string_view const text = "ALTER ROLE joe PASSWORD one s3cret \"t2o\"";
    Secrets const secrets = find_secrets(text, true);
    EXPECT_EQ(without_quotes_of("syntax error at or near \"s3cret\"", text, secrets.spans),
              "syntax error at or near \"***\"");
    EXPECT_EQ(without_quotes_of("syntax error at or near \"t2o\"", text, secrets.spans),
              "syntax error at or near \"***\"");
}

TEST(SecretsTest, DeepNestingEnds) {
    std::string text = "ALTER ROLE joe PASSWORD 's3cret'";
    for (int i = 0; i < 30; ++i) text = "$a" + std::to_string(i) + "$ " + text + " $a" + std::to_string(i) + "$";
    EXPECT_EQ(clean("DO " + text).find("s3cret"), std::string::npos);
}

TEST(SecretsTest, AnyCutOfAStatementIsReadToItsEnd) {
    for (std::string_view text : kLeaks) {
        if (text.find("DECLARE pw") != std::string_view::npos) continue;  // only what follows tells
        for (std::size_t length = 0; length <= text.size(); ++length) {
            std::string const cleaned = clean(text.substr(0, length));
            EXPECT_EQ(cleaned.find("s3cret"), std::string::npos) << text.substr(0, length);
        }
    }
}

}  // namespace
