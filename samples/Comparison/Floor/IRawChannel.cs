namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>One side of a connection that carries bytes both ways and nothing more. One thread uses it.</summary>
internal interface IRawChannel : IDisposable
{
    /// <summary>Takes all of the bytes; waits while there is no room for them.</summary>
    void Write(ReadOnlySpan<byte> source);

    /// <summary>Waits for at least one byte, copies what fits and returns how much; 0 once the peer is gone.</summary>
    int Read(Span<byte> destination);
}
