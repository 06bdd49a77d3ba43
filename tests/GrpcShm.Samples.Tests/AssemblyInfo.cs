// Each sample starts processes of its own: side by side they would take each other's time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
