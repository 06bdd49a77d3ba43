using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>
/// A client that begins calls and resets them at once: their slots are free again, while their handlers run on.
/// </summary>
public sealed class RapidResetTests
{
    private const int Limit = 4;

    [Fact]
    public async Task Calls_BegunAndResetOverAndOver_HaveABoundedNumberOfHandlers()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await DirectHost.StartAsync(
            _ => release.Task, transport: static o => o.MaxCallsPerConnection = Limit);
        using var client = await RawCalls.ConnectAsync(host);
        byte[] block = RawFrames.Fields(RawFrames.Request("/good.Service/Call"));
        var refused = 0;
        for (var use = 1u; use <= 10 * Limit; use++)
        {
            var call = use << 16;
            await client.PutAsync(RawFrames.Message(call, FrameFlags.Headers | FrameFlags.End, block));
            await client.PutAsync(RawFrames.Control(FrameType.Reset, call, (uint)CallError.Cancelled));
            refused += await client.EndOfAsync(call) == CallError.Refused ? 1 : 0;
        }

        // A handler begins on another thread, so the handlers of the last calls may begin late. A refused call has no
        // handler.
        await TimeLimit.UntilAsync(() => host.Seen.Count == 2 * Limit, () => $"{host.Seen.Count} handlers have run.");
        Assert.Equal(8 * Limit, refused);

        // The handlers end one by one, and then there is room again.
        release.SetResult();
        await CallUntilServedAsync(client, block, firstUse: (10 * Limit) + 1).InTime();
    }

    private static async Task CallUntilServedAsync(RawCalls client, byte[] block, uint firstUse)
    {
        for (var call = firstUse << 16; ; call += 1 << 16)
        {
            await client.PutAsync(RawFrames.Message(call, FrameFlags.Headers | FrameFlags.End, block));
            if (await client.EndOfAsync(call) is null)
            {
                return;
            }
        }
    }
}
