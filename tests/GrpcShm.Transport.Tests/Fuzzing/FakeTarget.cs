using GrpcShm.Fuzz;

namespace GrpcShm.Transport.Tests.Fuzzing;

/// <summary>A target that fails when it is told to, and notes its inputs.</summary>
internal sealed class FakeTarget(Func<byte[], bool> fails) : IFuzzTarget
{
    private HashCode _hash;

    public string Name => "fake";

    public int Weight => 1;

    public int MaxLength => 16;

    public IEnumerable<byte[]> Seeds => [[1, 2, 3, 4, 5]];

    public int Hash => _hash.ToHashCode();

    public string Run(ReadOnlySpan<byte> input)
    {
        _hash.AddBytes(input);
        FuzzFailureException.ThrowIf(fails(input.ToArray()), "It was told to.");
        return $"{input.Length}";
    }
}
