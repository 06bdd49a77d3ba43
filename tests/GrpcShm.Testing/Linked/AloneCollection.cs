namespace GrpcShm.Testing;

/// <summary>Tests that count what the whole process has, or change it: nothing else runs meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "Alone";
}
