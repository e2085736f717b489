// The broker and its launcher: they bring the policy of the control database into force.
#pragma once

namespace hoopguard::workers {

// Registers the launcher, which has no database of its own and starts the broker when the control database exists.
void register_broker_launcher();

}  // namespace hoopguard::workers
