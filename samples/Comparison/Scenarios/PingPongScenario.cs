using System.Diagnostics;
using Grpc.Core;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>One bidirectional stream: a message, and the next one when its answer has come.</summary>
internal sealed class PingPongScenario(string name, int payloadBytes) : Scenario(name, payloadBytes, Figure.P50)
{
    private readonly LatencyHistogram _histogram = new();

    public override string Operation => "round trip";

    public override bool NeedsStreams => true;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        _histogram.Reset();
        using var call = connections[0].Service.PingPong();
        // The first answer brings the headers as well.
        await ExchangeAsync(call);

        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        var now = start;
        while (now < end || _histogram.Count < limits.MinimumOperations)
        {
            var sent = now;
            await ExchangeAsync(call);
            now = Stopwatch.GetTimestamp();
            _histogram.Record(now - sent);
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        await call.RequestStream.CompleteAsync();
        if (await call.ResponseStream.MoveNext())
        {
            throw new ComparisonException("An answer came that nothing had asked for.");
        }

        return new RunResult(_histogram.Count, elapsed, _histogram);
    }

    private async ValueTask ExchangeAsync(AsyncDuplexStreamingCall<Payload, Payload> call)
    {
        await call.RequestStream.WriteAsync(Message);
        if (!await call.ResponseStream.MoveNext())
        {
            throw new ComparisonException("The stream ended before the answer came.");
        }

        CheckEcho(call.ResponseStream.Current);
    }
}
