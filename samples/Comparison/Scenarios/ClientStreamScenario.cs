using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>One stream to the server, as fast as the server reads it.</summary>
internal sealed class ClientStreamScenario(string name, int payloadBytes) : Scenario(name, payloadBytes, Figure.Rate)
{
    public override string Operation => "message";

    public override bool NeedsStreams => true;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        using var call = connections[0].Service.Absorb();
        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        long sent = 0;
        while (limits.GoesOn(sent, end))
        {
            await call.RequestStream.WriteAsync(Message);
            sent++;
        }

        // Only arrived messages count, so the clock runs until the server confirms that it has all.
        await call.RequestStream.CompleteAsync();
        var absorbed = await call;
        var elapsed = Stopwatch.GetElapsedTime(start);
        if (absorbed.Messages != sent || absorbed.Bytes != sent * PayloadBytes)
        {
            throw new ComparisonException(
                $"{sent} messages of {PayloadBytes} bytes were sent, "
                + $"and {absorbed.Messages} arrived with {absorbed.Bytes} bytes.");
        }

        return new RunResult(sent, elapsed, Latencies: null);
    }
}
