using System.Diagnostics;
using HdrHistogram;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>Measures a channel whose other end is a <see cref="RawPeer"/>.</summary>
internal sealed class RawMeter(IRawChannel channel)
{
    public const int MessageSize = 64;
    private const int RoundTripsAnOrder = 1000;
    private const long BytesAnOrder = 64L * 1024 * 1024;
    private const long Longest = 60_000_000_000;

    private readonly byte[] _block = new byte[RawPeer.BlockSize];
    private readonly LongHistogram _histogram = new(10, Longest, 3);

    /// <summary>Microseconds from sending a small message until it is back.</summary>
    public (double P50, double P99) MeasureRoundTrip(TimeSpan duration)
    {
        _histogram.Reset();
        var message = _block.AsSpan(0, MessageSize);
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < duration)
        {
            channel.Order(RoundTripsAnOrder, MessageSize);
            for (var i = 0; i < RoundTripsAnOrder; i++)
            {
                var sent = Stopwatch.GetTimestamp();
                channel.Write(message);
                channel.ReadExactly(message);
                var nanoseconds = (long)Stopwatch.GetElapsedTime(sent).TotalNanoseconds;
                _histogram.RecordValue(Math.Min(nanoseconds, Longest));
            }
        }

        return (_histogram.GetValueAtPercentile(50) / 1000.0, _histogram.GetValueAtPercentile(99) / 1000.0);
    }

    /// <summary>
    /// Bytes a second in one direction, in large blocks, until the peer confirms that it has received them.
    /// </summary>
    public double MeasureBytes(TimeSpan duration)
    {
        long sent = 0;
        Span<byte> confirmation = stackalloc byte[1];
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < duration)
        {
            channel.Order(roundTrips: 0, BytesAnOrder);
            for (long left = BytesAnOrder; left > 0; left -= _block.Length)
            {
                channel.Write(_block);
            }

            channel.ReadExactly(confirmation);
            sent += BytesAnOrder;
        }

        return sent / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
