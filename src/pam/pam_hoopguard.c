/* PAM module for PostgreSQL 15 to 17: asks for a token as password and has it verified by the library that the server
   preloads, which lives in the same process. Without that library everything is refused. */
#define _GNU_SOURCE
#define PAM_SM_AUTH
#define PAM_SM_ACCOUNT
#include <dlfcn.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stddef.h>

typedef int (*may_ask_function)(void);
typedef int (*verify_function)(const char *user, const char *token);

int pam_sm_authenticate(pam_handle_t *handle, int flags, int count, const char **arguments) {
    const char *user = NULL;
    const char *token = NULL;
    may_ask_function may_ask = (may_ask_function)dlsym(RTLD_DEFAULT, "hoopguard_may_ask_for_token");
    verify_function verify = (verify_function)dlsym(RTLD_DEFAULT, "hoopguard_verify_token");
    (void)flags, (void)count, (void)arguments;
    if (may_ask == NULL || verify == NULL) return PAM_AUTHINFO_UNAVAIL;
    /* A token is not even asked for in clear text. */
    if (may_ask() != 1) return PAM_AUTH_ERR;
    if (pam_get_user(handle, &user, NULL) != PAM_SUCCESS || user == NULL) return PAM_USER_UNKNOWN;
    if (pam_get_authtok(handle, PAM_AUTHTOK, &token, NULL) != PAM_SUCCESS || token == NULL) return PAM_AUTH_ERR;
    return verify(user, token) == 1 ? PAM_SUCCESS : PAM_AUTH_ERR;
}

int pam_sm_setcred(pam_handle_t *handle, int flags, int count, const char **arguments) {
    (void)handle, (void)flags, (void)count, (void)arguments;
    return PAM_SUCCESS;
}

/* The token itself says how long it is good; the server sees to that. */
int pam_sm_acct_mgmt(pam_handle_t *handle, int flags, int count, const char **arguments) {
    (void)handle, (void)flags, (void)count, (void)arguments;
    return dlsym(RTLD_DEFAULT, "hoopguard_verify_token") != NULL ? PAM_SUCCESS : PAM_AUTHINFO_UNAVAIL;
}
