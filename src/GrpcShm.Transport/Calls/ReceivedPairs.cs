namespace GrpcShm.Transport.Calls;

/// <summary>The pairs that the peer has defined on a connection. One thread at a time.</summary>
internal sealed class ReceivedPairs
{
    private readonly HeaderPair?[] _pairs = new HeaderPair?[HeaderNames.MaxPairs];

    public ReceivedPairs()
    {
        for (var i = 0; i < HeaderNames.Pairs.Count; i++)
        {
            _pairs[i] = new HeaderPair(HeaderNames.Pairs[i].Name, HeaderNames.Pairs[i].Value);
        }
    }

    /// <exception cref="SharedMemoryProtocolException">There is no such pair.</exception>
    public HeaderPair Get(uint number) =>
        number < HeaderNames.MaxPairs && _pairs[number] is { } pair
            ? pair
            : throw new SharedMemoryProtocolException(
                $"The peer refers to the header pair {number}, which it has not defined.");

    /// <param name="number">The number of the pair.</param>
    /// <param name="name">The name's number.</param>
    /// <param name="value">The value.</param>
    /// <param name="flaw">What is wrong with the value. The pair is defined all the same: the calls that use it
    /// fail.</param>
    /// <exception cref="SharedMemoryProtocolException">The number may not be defined.</exception>
    public HeaderPair Define(uint number, int name, string value, string? flaw)
    {
        if (number is < HeaderNames.FirstFreePair or >= HeaderNames.MaxPairs
            || value.Length > HeaderNames.MaxPairValue
            || (_pairs[number] is { } defined && (defined.Name != name || defined.Value != value)))
        {
            throw new SharedMemoryProtocolException($"The peer defines the header pair {number}, which it may not.");
        }

        // Several blocks may define the same pair, if they were put together at the same time.
        return _pairs[number] ??= new HeaderPair(name, value) { Flaw = flaw };
    }
}
