namespace GrpcShm.Hosting.Tests.Observing;

/// <summary>Tests that listen to the whole process. No other test runs meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
