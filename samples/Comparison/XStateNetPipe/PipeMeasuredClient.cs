using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// The measured service's client for an exchange that is not gRPC: a call is an event, and an event that answers it.
/// </summary>
internal sealed class PipeMeasuredClient(string pipeName, string machineId) : Measured.MeasuredClient, IAsyncDisposable
{
    private readonly ConcurrentDictionary<long, TaskCompletionSource<Payload>> _calls = new();
    private readonly Lock _connecting = new();
    private Task<PipeClient>? _client;
    private long _lastId;

    public override AsyncUnaryCall<Payload> EchoAsync(Payload request, CallOptions options) => new(
        CallAsync(request),
        Task.FromResult(Metadata.Empty),
        () => Status.DefaultSuccess,
        () => Metadata.Empty,
        () => { });

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await (await _client).DisposeAsync();
        }
    }

    private async Task<Payload> CallAsync(Payload request)
    {
        var client = await ConnectAsync();
        var id = Interlocked.Increment(ref _lastId);
        var reply = new TaskCompletionSource<Payload>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = reply;

        // This uses the array itself and no copy, since the original exchange also passes its payload as an object.
        var body = MemoryMarshal.TryGetArray(request.Body.Memory, out var array) && array.Count == array.Array!.Length
            ? array.Array
            : request.Body.ToByteArray();
        await client.SendAsync(PipeService.EchoMachine, PipeService.EchoEvent, new PipeEcho(id, body));
        return await reply.Task;
    }

    private Task<PipeClient> ConnectAsync()
    {
        lock (_connecting)
        {
            return _client ??= PipeClient.ConnectAsync(pipeName, machineId, Handle, Fail);
        }
    }

    private void Fail(Exception reason)
    {
        foreach (var reply in _calls.Values)
        {
            reply.TrySetException(reason);
        }
    }

    private void Handle(PipeEvent received)
    {
        var echo = ((JsonElement)received.Payload!).Deserialize<PipeEcho>()!;
        if (_calls.TryRemove(echo.Id, out var reply))
        {
            reply.SetResult(new Payload { Body = UnsafeByteOperations.UnsafeWrap(echo.Body) });
        }
    }
}
