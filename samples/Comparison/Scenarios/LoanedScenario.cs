using System.Diagnostics;
using Grpc.Core;
using GrpcShm.Loans;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Serving;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Unary calls, one at a time, with loans where the transport has them. Over the others, which are what loans stand
/// against, the messages are plain.
/// </summary>
internal sealed class LoanedScenario(string name, int payloadBytes) : Scenario(name, payloadBytes, Figure.Rate)
{
    private readonly LatencyHistogram _histogram = new();

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        _histogram.Reset();
        var connection = connections[0];

        // The same payload again and again, as the plain message is the same.
        using var loan = Loaned.Create(new Payload(), PayloadBytes);
        Message.Body.Span.CopyTo(loan.Memory.Span);
        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        var now = start;
        for (long count = 0; now < end || count < limits.MinimumOperations; count++)
        {
            var sent = now;
            if (connection.Loans is { } loans)
            {
                await CallAsync(loans, loan);
            }
            else
            {
                CheckEcho(await connection.Service.EchoAsync(Message));
            }

            now = Stopwatch.GetTimestamp();
            _histogram.Record(now - sent);
        }

        return new RunResult(_histogram.Count, Stopwatch.GetElapsedTime(start), _histogram);
    }

    private async Task CallAsync(CallInvoker loans, Loaned<Payload> loan)
    {
        using var call = loans.AsyncUnaryCall(LoanedMeasured.EchoMethod, null, default, loan);
        using var reply = await call.ResponseAsync;
        if (reply.PayloadLength != PayloadBytes)
        {
            throw new ComparisonException($"{PayloadBytes} bytes were sent and {reply.PayloadLength} came back.");
        }
    }
}
