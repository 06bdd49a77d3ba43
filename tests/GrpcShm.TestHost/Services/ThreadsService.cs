using System.Diagnostics;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>Implements <c>threads.proto</c>. No method awaits: each call ends on the thread that began it.</summary>
internal sealed class ThreadsService(CallRegistry calls, GateRegistry gates) : Threads.ThreadsBase
{
    private static readonly AsyncLocal<string?> Left = new();
    private static int s_burning;

    public override Task<MarkResponse> Mark(MarkRequest request, ServerCallContext context)
    {
        var found = (Left.Value ?? "") + CultureInfo.CurrentCulture.NumberFormat.NegativeSign.TrimStart('-');
        Left.Value = request.Mark;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NegativeSign = request.Mark;
        CultureInfo.CurrentCulture = culture;
        return Task.FromResult(new MarkResponse { Thread = Thread.CurrentThread.Name ?? "", Found = found });
    }

    public override Task<Empty> Block(HoldRequest request, ServerCallContext context)
    {
        Enter(context);
        gates.WaitAsync(request.Gate, context.CancellationToken).GetAwaiter().GetResult();
        return Task.FromResult(new Empty());
    }

    public override Task<Empty> Spin(HoldRequest request, ServerCallContext context)
    {
        Enter(context);
        var opened = gates.WaitAsync(request.Gate, context.CancellationToken);
        while (!opened.IsCompleted)
        {
            Thread.SpinWait(100);
        }

        return Task.FromResult(new Empty());
    }

    public override Task<Empty> Open(HoldRequest request, ServerCallContext context)
    {
        gates.Open(request.Gate);
        return Task.FromResult(new Empty());
    }

    public override Task<BurnResponse> Burn(BurnRequest request, ServerCallContext context)
    {
        var atOnce = Interlocked.Increment(ref s_burning);
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < request.Milliseconds)
        {
            Thread.SpinWait(100);
        }

        Interlocked.Decrement(ref s_burning);
        return Task.FromResult(new BurnResponse { AtOnce = atOnce });
    }

    private void Enter(ServerCallContext context) =>
        calls[context.RequestHeaders.GetValue(MetadataKeys.CallId)!].Reach(CallPhase.Started);
}
