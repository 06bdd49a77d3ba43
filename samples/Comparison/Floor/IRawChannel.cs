namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>One side of a connection that carries bytes in both directions. One thread uses it.</summary>
internal interface IRawChannel : IDisposable
{
    /// <summary>Writes all bytes; waits while there is no room for them.</summary>
    void Write(ReadOnlySpan<byte> source);

    /// <summary>
    /// Waits for at least one byte, copies as many as fit and returns their number; 0 when the peer has ended.
    /// </summary>
    int Read(Span<byte> destination);
}
