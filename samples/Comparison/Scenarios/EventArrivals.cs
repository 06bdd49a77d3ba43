using System.Buffers.Binary;
using System.Diagnostics;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>Counts the events that arrive, and checks that none is missing, damaged or out of order.</summary>
/// <param name="payloadBytes">The size of each payload.</param>
/// <param name="isTimed">Whether each payload has the time at which its event was due.</param>
internal sealed class EventArrivals(int payloadBytes, bool isTimed = false)
{
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<long> _latencies = [];
    private long _received;
    private long _expected = long.MaxValue;

    /// <summary>How many events have come.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>
    /// How long each event took, in ticks of <see cref="Stopwatch"/>. Read it when all events have come.
    /// </summary>
    public IReadOnlyList<long> Latencies => _latencies;

    /// <summary>Writes the number of an event, and the time at which it is due, into its payload.</summary>
    public static void Mark(Span<byte> payload, long number, long due = 0)
    {
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        BinaryPrimitives.WriteInt64LittleEndian(payload[sizeof(long)..], due);
    }

    /// <summary>Called for one event after the other.</summary>
    public void Take(ReadOnlyMemory<byte> payload)
    {
        var now = isTimed ? Stopwatch.GetTimestamp() : 0;
        var number = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
        if (payload.Length != payloadBytes || number != _received + 1)
        {
            _complete.TrySetException(new ComparisonException(
                $"After event {_received} came event {number} with {payload.Length} bytes."));
        }

        if (isTimed)
        {
            _latencies.Add(now - BinaryPrimitives.ReadInt64LittleEndian(payload.Span[sizeof(long)..]));
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
