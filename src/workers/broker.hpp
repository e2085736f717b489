// The broker and its launcher: they bring the policy of the control database into force.
#pragma once

namespace hoopguard::workers {

// Registers the launcher, which has no database of its own and starts the broker when the control database exists.
void register_broker_launcher();

// In the broker, outside of transactions: what is committed by now is in force when it returns, unless that cannot
// be had, which is told and tried again.
void bring_policy_into_force();

}  // namespace hoopguard::workers
