using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Text.Json;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// The hub of XStateNet's exchange between processes, re-created from its description: a client registers its machine,
/// subscribes, and sends events, each in a line of JSON. The hub writes an event to the pipe of its target, and then an
/// acknowledgement to the sender.
/// </summary>
internal sealed class PipeHub(string pipeName) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, PipeRegistration> _registered = new();
    private readonly ConcurrentDictionary<string, PipeLines> _subscribed = new();
    private readonly Dictionary<string, Func<PipeHub, PipeEvent, Task>> _localMachines = [];
    private readonly ConcurrentDictionary<PipeLines, Task> _clients = new();
    private NamedPipeServerStream? _next;

    /// <summary>Adds a machine of the hub's own process.</summary>
    public void AddLocalMachine(string machineId, Func<PipeHub, PipeEvent, Task> handler) =>
        _localMachines[machineId] = handler;

    /// <summary>Listens, so that clients can connect.</summary>
    public void Start() => _next = CreatePipe();

    /// <summary>Serves until it is asked to stop.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (_next is { } pipe && !stopping.IsCancellationRequested)
        {
            try
            {
                await pipe.WaitForConnectionAsync(stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            _next = CreatePipe();
            var lines = new PipeLines(pipe);
            _clients[lines] = ServeAsync(lines, stopping);
        }
    }

    /// <summary>Passes an event to its target.</summary>
    public async Task<PipeResponse> RouteAsync(PipeEvent @event)
    {
        var target = @event.TargetMachineId;
        if (_subscribed.TryGetValue(target, out var lines))
        {
            await lines.WriteAsync(new PipeResponse(true, @event));
        }
        else if (_localMachines.TryGetValue(target, out var handler))
        {
            await handler(this, @event);
        }
        else
        {
            return new PipeResponse(false, null, $"Target machine not connected: {target}");
        }

        return new PipeResponse(true, new { Delivered = true, TargetMachineId = target });
    }

    public async ValueTask DisposeAsync()
    {
        if (_next is { } next)
        {
            await next.DisposeAsync();
        }

        foreach (var (lines, serving) in _clients)
        {
            lines.Dispose();
            await serving;
        }
    }

    private async Task ServeAsync(PipeLines lines, CancellationToken stopping)
    {
        try
        {
            while (await lines.ReadAsync<PipeMessage>(stopping) is { } message)
            {
                await lines.WriteAsync(await ExecuteAsync(message, lines));
            }
        }
        catch (Exception exception)
            when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has closed, or the hub stops.
        }

        foreach (var pair in _subscribed.Where(pair => pair.Value == lines))
        {
            _subscribed.TryRemove(pair);
            _registered.TryRemove(pair.Key, out _);
        }

        _clients.TryRemove(lines, out _);
        lines.Dispose();
    }

    private async Task<PipeResponse> ExecuteAsync(PipeMessage message, PipeLines lines)
    {
        switch (message.Type)
        {
            case PipeMessageType.Register:
                var registration = message.Payload.Deserialize<PipeRegistration>()!;
                _registered[registration.MachineId] = registration;
                return new PipeResponse(true, new { registration.MachineId, registration.RegisteredAt });
            case PipeMessageType.Unregister:
                _registered.TryRemove(message.Payload.GetString()!, out _);
                return new PipeResponse(true, null);
            case PipeMessageType.Subscribe:
                var machineId = message.Payload.GetString()!;
                _subscribed[machineId] = lines;
                return new PipeResponse(true, new { MachineId = machineId, SubscribedAt = DateTime.UtcNow });
            case PipeMessageType.SendEvent:
                return await RouteAsync(message.Payload.Deserialize<PipeEvent>()!);
            default:
                return new PipeResponse(false, null, $"Unknown message type: {message.Type}");
        }
    }

    private NamedPipeServerStream CreatePipe() => new(
        pipeName,
        PipeDirection.InOut,
        NamedPipeServerStream.MaxAllowedServerInstances,
        PipeTransmissionMode.Byte,
        PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
}
