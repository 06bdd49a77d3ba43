using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>Clients that begin calls and do not end them, on a server with Kestrel's own heartbeat.</summary>
public sealed class SlowClientTests
{
    private static byte[] Fields => RawFrames.Fields(RawFrames.Request("/slow.Service/Call"));

    [Fact]
    public async Task Headers_NotWholeInTime_EndTheirCallAlone()
    {
        await using var host = await DirectHost.StartAsync(
            static _ => Task.CompletedTask,
            static kestrel => kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromMilliseconds(1));
        using var client = await RawCalls.ConnectAsync(host);
        await client.PutAsync(RawFrames.Message(1, FrameFlags.Headers | FrameFlags.Continues, Fields[..10]));

        Assert.Equal(CallError.Internal, await client.EndOfAsync(1));

        await client.PutAsync(RawFrames.Control(FrameType.Reset, 1, 0));
        await client.VerifyServedAsync(2);

        // The slot is free again, and no handler has seen the call that had it.
        await client.VerifyServedAsync(0x10001);
        Assert.DoesNotContain("/slow.Service/Call", host.Seen);
        await host.Log.WaitForAsync("RequestOverdue", "RequestHeadersTimeout");
    }

    [Fact]
    public async Task Idle_ClientNeitherAnswersNorEndsItsCall_IsClosedNevertheless()
    {
        await using var host = await DirectHost.StartAsync(
            static context => context.Response.CompleteAsync(),
            static kestrel => kestrel.Limits.KeepAliveTimeout = TimeSpan.FromTicks(1));
        while (!await IsServedAndClosedAsync(host))
        {
            // The limit is so short that a connection may be closed before its call has arrived.
        }
    }

    /// <summary>Whether the server took the call of a client before it closed its connection.</summary>
    private static async Task<bool> IsServedAndClosedAsync(DirectHost host)
    {
        using var client = await RawClient.ConnectAsync(host.SocketPath, ConnectionModes.Calls);

        // The whole response comes, but the request never ends.
        client.PublishFrame(RawFrames.Message(1, FrameFlags.Headers, Fields));
        var isServed = false;
        await TakeAsync(client, header =>
        {
            isServed |= header.Call == 1 && header.Has(FrameFlags.End);
            return isServed || header.Type == FrameType.GoAway;
        });
        if (!isServed)
        {
            return false;
        }

        await TakeAsync(client, static header => header.Type == FrameType.GoAway);
        await TakeAsync(client, static header => header.Type == FrameType.Ping);
        await client.ReceiveAsync();
        return true;
    }

    private static async Task TakeAsync(RawClient client, Func<FrameHeader, bool> isMeant)
    {
        FrameHeader header = default;
        await TimeLimit.UntilAsync(
            () => client.TryTakeFrame(out header, out _) && isMeant(header),
            () => "The server does not send what it has to.");
    }
}
