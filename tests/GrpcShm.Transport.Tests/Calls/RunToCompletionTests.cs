using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class RunToCompletionTests
{
    [Theory]
    [InlineData((int)RunMode.Inline)]
    [InlineData((int)RunMode.Adaptive)]
    public async Task Handler_WaitsSynchronouslyForACallOnTheSameConnection_OnBothSides_ComesToAnEnd(int mode)
    {
        CallPair pair = null!;
        pair = await CallPair.CreateAsync(
            call =>
            {
                var path = call.HeadersReceived.Result.Single(f => f.Name == ":path").Value;
                if (path == "/waits")
                {
                    Wait(pair.EchoAsync(5_000, 1_000));
                }

                return CallPair.EchoAsync(call);
            },
            new CallSettings { RunMode = (RunMode)mode });
        await using var owned = pair;
        var calls = Enumerable.Range(0, 8).Select(_ =>
        {
            // The work that the response leads to waits, too.
            var call = new TestCall(pair.Profile, _ =>
            {
                Wait(pair.EchoAsync(100, 100));
                return Task.CompletedTask;
            });
            Assert.True(pair.Client.TryBegin(call.Stream));
            call.SetHeaders((":path", "/waits"));
            call.EndOutput();
            return call;
        }).ToList();
        foreach (var call in calls)
        {
            await call.Handled.InTime();
            await call.Left.InTime();
        }

        await pair.VerifyIdleAsync();
    }

    [Fact]
    public async Task Handler_BlocksForEver_OtherCallsGoOnAndTheConnectionEnds()
    {
        using var never = new ManualResetEventSlim();
        await using var pair = await CallPair.CreateAsync(
            call =>
            {
                var path = call.HeadersReceived.Result.Single(f => f.Name == ":path").Value;
                if (path == "/blocks")
                {
                    never.Wait(TimeLimit.Value);
                }

                return CallPair.EchoAsync(call);
            },
            new CallSettings { RunMode = RunMode.Inline });
        var call = pair.Begin("/blocks");
        await call.SendAsync(new byte[10]);
        for (var i = 0; i < 100; i++)
        {
            await pair.EchoAsync(1_000, 100);
        }

        call.Reset(CallError.Cancelled);
        await call.Left.InTime();
        Assert.Equal(CallError.Cancelled, (await (await pair.AcceptedAsync()).Failed.InTime()).Error);
        never.Set();
    }

    // Blocks, as badly written code does.
    private static void Wait(Task task) => Assert.True(task.Wait(TimeLimit.Value));
}
