using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using GrpcShm.EventBus;
using HdrHistogram;

namespace Samples.PingPong;

/// <summary>The third process of the stream: the machine 'receiver'.</summary>
internal sealed class EventStreamReceiver
{
    private readonly LongHistogram _latencies = new(TimeStamp.Minutes(1), 3);
    private long _received;
    private long _outOfOrder;
    private long _firstSent;

    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        using var channel = endpoint.CreateChannel();
        await using var client = new EventClient(channel, new EventBusClientOptions
        {
            Name = "receiver",
            ConnectTimeout = SampleProcess.StartTime,
        });
        await client.ConnectAsync();
        await client.RegisterMachineAsync("receiver", new EventStreamReceiver().HandleAsync);
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private Task HandleAsync(BusEvent received)
    {
        if (received.EventName == "REPORT")
        {
            received.Reply(JsonSerializer.SerializeToUtf8Bytes(Report(), RunReportContext.Default.ReceiverReport));
            return Task.CompletedTask;
        }

        // The clock is the machine's, so both processes read the same.
        var payload = received.RawPayload.Data.Span;
        var sent = BinaryPrimitives.ReadInt64LittleEndian(payload[sizeof(long)..]);
        _outOfOrder += BinaryPrimitives.ReadInt64LittleEndian(payload) == ++_received ? 0 : 1;
        _firstSent = _received == 1 ? sent : _firstSent;
        _latencies.RecordValue(Math.Clamp(Stopwatch.GetTimestamp() - sent, 0, _latencies.HighestTrackableValue));
        return Task.CompletedTask;
    }

    private ReceiverReport Report()
    {
        var report = new ReceiverReport
        {
            Received = _received,
            OutOfOrder = _outOfOrder,
            Seconds = Stopwatch.GetElapsedTime(_firstSent).TotalSeconds,
            P50Microseconds = Microseconds(50),
            P99Microseconds = Microseconds(99),
        };
        (_received, _outOfOrder) = (0, 0);
        _latencies.Reset();
        return report;
    }

    private double Microseconds(double percentile) =>
        _latencies.TotalCount == 0
            ? 0
            : Math.Round(_latencies.GetValueAtPercentile(percentile) * 1e6 / Stopwatch.Frequency, 1);
}
