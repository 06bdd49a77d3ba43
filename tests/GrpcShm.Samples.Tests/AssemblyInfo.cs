using Xunit.Sdk;
using Xunit.v3;

// Each sample starts processes of its own. Side by side they would slow each other down.
[assembly: Parallelization(Mode = ParallelMode.None)]
