using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>One stream from the server, as fast as it sends.</summary>
internal sealed class ServerStreamScenario(string name, int payloadBytes) : Scenario(name, payloadBytes, Figure.Rate)
{
    public override string Operation => "message";

    public override bool NeedsStreams => true;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        // Disposal cancels the call, and so the server learns that it has sent enough.
        using var call = connections[0].Service.Flood(new FloodRequest { BodyBytes = PayloadBytes });
        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        long received = 0;
        while (limits.GoesOn(received, end))
        {
            if (!await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                throw new ComparisonException("The server ended its stream by itself.");
            }

            CheckEcho(call.ResponseStream.Current);
            received++;
        }

        return new RunResult(received, Stopwatch.GetElapsedTime(start), Latencies: null);
    }
}
