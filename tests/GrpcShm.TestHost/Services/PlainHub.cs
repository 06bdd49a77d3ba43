using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.SignalR;

namespace GrpcShm.TestHost.Services;

/// <summary>A hub with one method of each kind.</summary>
internal sealed class PlainHub : Hub
{
    public byte[] Echo(byte[] body)
    {
        Context.ConnectionAborted.ThrowIfCancellationRequested();
        return body;
    }

    public async IAsyncEnumerable<byte[]> Produce(
        int count, int size, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Context.ConnectionAborted.ThrowIfCancellationRequested();
            yield return TestBody.Create(size, (ulong)i).ToByteArray();
            await Task.Yield();
        }
    }

    public async Task<long> Collect(IAsyncEnumerable<byte[]> bodies)
    {
        long size = 0;
        await foreach (var body in bodies.WithCancellation(Context.ConnectionAborted))
        {
            size += body.Length;
        }

        return size;
    }

    /// <summary>Calls the caller back.</summary>
    public async Task CallBack(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await Clients.Caller.SendAsync("Called", i);
        }
    }
}
