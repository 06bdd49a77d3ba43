using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>Calls that end early, and the way in which the server learns of it.</summary>
public abstract partial class TransportConformance
{
    [Theory]
    [MemberData(nameof(PendingKinds))]
    public async Task Cancel_WhilePending_FiresTheServersToken(string kind)
    {
        var callId = NewId(kind);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestToken);
        var resume = new TaskCompletionSource();
        var call = PendingCalls.StartAsync(
            Client, kind, callId, resume.Task, cancellationToken: cancellation.Token);
        await Server.WhenCallAsync(callId, CallPhase.Started);

        await cancellation.CancelAsync();

        await Server.WhenCallAsync(callId, CallPhase.Cancelled);
        await Server.WhenCallAsync(callId, CallPhase.Finished);
        resume.SetResult();
        var failure = await call.FailsInTime();
        Assert.True(failure.StatusCode == StatusCode.Cancelled, $"{failure}");
        await AssertStillServesAsync();
    }

    public static TheoryData<string> PendingKinds() => [.. PendingCalls.Kinds];

    [Fact]
    public async Task Deadline_WhilePending_FiresTheServersToken()
    {
        // A call that a busy machine holds up for the whole time until its deadline shows nothing. Then the test needs
        // longer deadlines.
        var time = TimeSpan.FromSeconds(3);
        while (!await EndByDeadlineAsync(time))
        {
            time *= 2;
            Assert.True(time < TimeLimit.Value, $"Not all calls come to the server within {time / 2}.");
        }
    }

    /// <summary>Lets calls of all kinds end by one deadline.</summary>
    /// <returns>False if not all of them had come to the server before.</returns>
    private async Task<bool> EndByDeadlineAsync(TimeSpan time)
    {
        // All kinds at once, so that this takes one deadline's time.
        var deadline = DateTime.UtcNow + time;
        var resume = new TaskCompletionSource();
        var calls = PendingCalls.Kinds
            .Select(kind => (Kind: kind, Id: NewId(kind)))
            .Select(call => (call.Kind, call.Id, Task: PendingCalls.StartAsync(
                Client, call.Kind, call.Id, resume.Task, deadline, TestToken)))
            .ToList();

        var hasCome = true;
        foreach (var call in calls)
        {
            hasCome = hasCome && await HasComeAsync(call.Id, deadline);
        }

        foreach (var call in calls.Where(_ => hasCome))
        {
            await Server.WhenCallAsync(call.Id, CallPhase.Cancelled);
            await Server.WhenCallAsync(call.Id, CallPhase.Finished);
        }

        resume.SetResult();
        List<StatusCode> statuses = [];
        foreach (var call in calls)
        {
            statuses.Add((await call.Task.FailsInTime()).StatusCode);
        }

        // The remaining time is sent in whole milliseconds, rounded down. So the server may reach its end a moment
        // before the client, which then sees a cancelled call.
        Assert.Contains(StatusCode.DeadlineExceeded, statuses);
        Assert.Empty(statuses.Except([StatusCode.DeadlineExceeded, StatusCode.Cancelled]));
        return hasCome;
    }

    private async Task<bool> HasComeAsync(string callId, DateTime deadline)
    {
        try
        {
            var request = new AwaitCallRequest { CallId = callId, Phase = CallPhase.Started };
            await Server.Control.AwaitCallAsync(request, Call(deadline: deadline)).InTime();
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.DeadlineExceeded)
        {
            return false;
        }
    }

    [Fact]
    public async Task Deadline_OnTheWay_ReachesTheServer()
    {
        var deadline = DateTime.UtcNow.AddHours(1);

        var seen = await Client.DescribeAsync(new Empty(), Call(deadline: deadline)).InTime();

        // The deadline is sent as the remaining time, so the time on the way makes it later, never earlier.
        Assert.InRange(seen.Deadline.ToDateTime(), deadline.AddSeconds(-1), deadline.AddMinutes(5));
    }

    [Fact]
    public async Task Timeout_OnSleepingServer_IsDeadlineExceeded()
    {
        using var call = Client.Converse(Call(deadline: DateTime.UtcNow.AddMilliseconds(1)));

        Assert.Equal(
            StatusCode.DeadlineExceeded, (await call.ResponseStream.MoveNext(TestToken).FailsInTime()).StatusCode);
    }

    [Fact]
    public async Task Cancel_AfterBegin_IsCancelled()
    {
        using var cancellation = new CancellationTokenSource();
        using var call = Client.Collect(cancellationToken: cancellation.Token);

        await cancellation.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await call.ResponseAsync.FailsInTime()).StatusCode);
    }

    [Fact]
    public async Task Cancel_AfterFirstResponse_IsCancelled()
    {
        var callId = NewId("after first response");
        using var cancellation = new CancellationTokenSource();
        using var call = Client.Converse(new CallOptions(Named(callId), cancellationToken: cancellation.Token));
        await call.RequestStream.WriteAsync(new ConverseRequest { Pieces = { NewPiece(31415) } }, TestToken).InTime();
        Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());

        await cancellation.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await call.ResponseStream.MoveNext(TestToken).FailsInTime()).StatusCode);
        await Server.WhenCallAsync(callId, CallPhase.Cancelled);
    }

    [Fact]
    public async Task Cancel_BeforeTheCall_NeverReachesTheServer()
    {
        var before = await Server.Control.StatsAsync(new Empty(), Call()).InTime();

        using var call = Client.NothingAsync(new Empty(), cancellationToken: new CancellationToken(canceled: true));

        Assert.Equal(StatusCode.Cancelled, (await call.FailsInTime()).StatusCode);
        var after = await Server.Control.StatsAsync(new Empty(), Call()).InTime();
        Assert.Equal(before.CallsStarted, after.CallsStarted);
    }

    [Fact]
    public async Task Dispose_OfAnAbandonedCall_FiresTheServersToken()
    {
        var callId = NewId("abandoned");
        var request = new ProduceRequest { Pieces = { NewPiece(64 * KiB) }, Forever = true };
        using (var call = Client.Produce(request, Call(Named(callId))))
        {
            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
        }

        await Server.WhenCallAsync(callId, CallPhase.Cancelled);
        await Server.WhenCallAsync(callId, CallPhase.Finished);
        await AssertStillServesAsync();
    }
}
