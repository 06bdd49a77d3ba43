using GrpcShm.EventBus.Mailboxes;

namespace GrpcShm.EventBus.Tests.Mailboxes;

public sealed class WakeSignalTests
{
    [Fact]
    public async Task WaitAsync_AfterASet_CompletesAtOnceAndOnlyOnce()
    {
        var signal = new WakeSignal(runInline: true);
        signal.Set();
        signal.Set();

        var first = signal.WaitAsync();
        var second = signal.WaitAsync();

        Assert.True(first.IsCompletedSuccessfully);
        Assert.False(second.IsCompleted);
        signal.Set();
        await second.InTime();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Set_FromManyThreads_LosesNoWakeUp(bool runInline)
    {
        const int threads = 4;
        const int perThread = 10_000;
        var signal = new WakeSignal(runInline);
        var added = 0;
        var consumer = Task.Run(async () =>
        {
            var seen = 0;
            while (seen < threads * perThread)
            {
                await signal.WaitAsync();
                seen = Volatile.Read(ref added);
            }
        });

        var producers = Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < perThread; i++)
            {
                Interlocked.Increment(ref added);
                signal.Set();
            }
        }));

        await Task.WhenAll(producers).InTime();
        await consumer.InTime();
    }
}
