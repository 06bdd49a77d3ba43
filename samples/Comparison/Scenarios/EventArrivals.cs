using System.Buffers.Binary;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>Counts the events that arrive, and checks that none is missing, damaged or out of order.</summary>
internal sealed class EventArrivals(int payloadBytes)
{
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _received;
    private long _expected = long.MaxValue;

    /// <summary>Called for one event after the other.</summary>
    public void Take(ReadOnlyMemory<byte> payload)
    {
        var number = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
        if (payload.Length != payloadBytes || number != _received + 1)
        {
            _complete.TrySetException(new ComparisonException(
                $"After event {_received} came event {number} with {payload.Length} bytes."));
        }

        // A full fence, as in WhenAsync: one of the two sees the other.
        if (Interlocked.Increment(ref _received) == Volatile.Read(ref _expected))
        {
            _complete.TrySetResult();
        }
    }

    /// <summary>Completes when this number of events has arrived.</summary>
    public Task WhenAsync(long expected)
    {
        Interlocked.Exchange(ref _expected, expected);
        if (Volatile.Read(ref _received) == expected)
        {
            _complete.TrySetResult();
        }

        return _complete.Task;
    }
}
