// The key fetcher: a background worker without a database that fetches the public keys of identity providers, so
// that no backend ever waits for the network.
#pragma once

namespace hoopguard::workers {

// From _PG_init.
void register_key_fetcher();

}  // namespace hoopguard::workers
