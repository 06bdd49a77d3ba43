using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>Sends wrong frames of calls to a server, and reads its answers.</summary>
internal sealed class RawCalls : IDisposable
{
    private readonly RawClient _client;

    private RawCalls(RawClient client) => _client = client;

    public static async Task<RawCalls> ConnectAsync(DirectHost host) =>
        new(await RawClient.ConnectAsync(host.SocketPath, ConnectionModes.Calls));

    /// <summary>Puts a frame into the ring, and waits until the server has taken it.</summary>
    public async Task PutAsync(byte[] frame)
    {
        _client.PublishFrame(frame);
        await TimeLimit.UntilAsync(() => _client.IsTaken, () => "The server does not take the frame.");
    }

    /// <summary>Sends a block, in pieces that fit, and waits until the server has taken each.</summary>
    public async Task PutBlockAsync(uint call, byte[] block, FrameFlags kind, FrameFlags last)
    {
        for (var at = 0; at < block.Length; at += 1500)
        {
            var piece = block[at..Math.Min(block.Length, at + 1500)];
            var flags = at + 1500 < block.Length ? kind | FrameFlags.Continues : kind | last;
            await PutAsync(kind == FrameFlags.Headers
                ? RawFrames.Message(call, flags, piece)
                : RawFrames.Message(call, flags, trailers: piece));
        }
    }

    /// <summary>Reads the next frame.</summary>
    public async Task<(FrameHeader Header, byte[] Content)> TakeAsync()
    {
        FrameHeader header = default;
        byte[] content = [];
        await TimeLimit.UntilAsync(
            () => _client.TryTakeFrame(out header, out content), () => "The server sends nothing.");
        return (header, content);
    }

    /// <summary>Reads frames up to the end of a call, from the server's side.</summary>
    /// <returns>The code of the server's reset, or null if the call has ended with a message.</returns>
    public async Task<CallError?> EndOfAsync(uint call)
    {
        while (true)
        {
            var (header, _) = await TakeAsync();
            if (header.Call == call && header.Type == FrameType.Reset)
            {
                return (CallError)header.Argument;
            }

            if (header.Call == call && header.Has(FrameFlags.End))
            {
                return null;
            }
        }
    }

    /// <summary>Shows that an ordinary call is served.</summary>
    public async Task VerifyServedAsync(uint call)
    {
        await PutAsync(RawFrames.Message(
            call, FrameFlags.Headers | FrameFlags.End, RawFrames.Fields(RawFrames.Request("/good.Service/Call"))));
        Assert.Null(await EndOfAsync(call));
    }

    public void Dispose() => _client.Dispose();
}
