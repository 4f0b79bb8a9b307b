tests/support/fault_policy.c:19:    return &life->machine->app;
tests/support/fault_policy.c:24:    life->machine->app = life->machine->image.slots;
