using Xunit.Sdk;
using Xunit.v3;

// Each sample starts processes of its own: side by side they would take each other's time.
[assembly: Parallelization(Mode = ParallelMode.None)]
