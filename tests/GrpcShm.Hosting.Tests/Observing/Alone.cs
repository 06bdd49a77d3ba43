namespace GrpcShm.Hosting.Tests.Observing;

/// <summary>Tests that listen to the whole process: nothing else runs meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
