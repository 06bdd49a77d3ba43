namespace GrpcShm.Testing;

/// <summary>Tests that count or change resources of the whole process. No other test runs meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
