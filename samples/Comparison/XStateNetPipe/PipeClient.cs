using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>One machine's connection to the hub.</summary>
internal sealed class PipeClient : IAsyncDisposable
{
    private readonly string _machineId;
    private readonly PipeLines _lines;
    private readonly Action<PipeEvent> _handler;
    private readonly Action<Exception> _ended;

    // The hub answers each line in turn, so the answers come in the order of the lines.
    private readonly ConcurrentQueue<TaskCompletionSource> _unanswered = new();
    private Task _reading = Task.CompletedTask;

    private PipeClient(string machineId, PipeLines lines, Action<PipeEvent> handler, Action<Exception> ended) =>
        (_machineId, _lines, _handler, _ended) = (machineId, lines, handler, ended);

    /// <summary>Connects, registers the machine and subscribes to its events.</summary>
    /// <param name="pipeName">The hub's pipe.</param>
    /// <param name="machineId">The machine.</param>
    /// <param name="handler">Receives the machine's events, one after the other.</param>
    /// <param name="ended">Receives the reason when there are no more events.</param>
    public static async Task<PipeClient> ConnectAsync(
        string pipeName, string machineId, Action<PipeEvent> handler, Action<Exception> ended)
    {
        var pipe = await NamedPipeConnector.ConnectAsync(pipeName, CancellationToken.None);
        var client = new PipeClient(machineId, new PipeLines(pipe), handler, ended);
        client._reading = client.ReadAsync();
        using var process = Process.GetCurrentProcess();
        await client.ExecuteAsync(
            PipeMessageType.Register,
            new PipeRegistration(machineId, process.ProcessName, process.Id, DateTime.UtcNow));
        await client.ExecuteAsync(PipeMessageType.Subscribe, machineId);
        return client;
    }

    /// <summary>Sends an event. The task ends with the acknowledgement.</summary>
    public Task SendAsync(string targetId, string eventName, object? payload) => ExecuteAsync(
        PipeMessageType.SendEvent, new PipeEvent(_machineId, targetId, eventName, payload, DateTime.UtcNow));

    public async ValueTask DisposeAsync()
    {
        _lines.Dispose();
        await _reading;
    }

    private async Task ExecuteAsync<T>(PipeMessageType type, T payload)
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new PipeMessage(type, JsonSerializer.SerializeToElement(payload));
        await _lines.WriteAsync(message, () => _unanswered.Enqueue(answer));
        await answer.Task;
    }

    private async Task ReadAsync()
    {
        Exception reason = new IOException("The hub has closed the pipe.");
        try
        {
            while (await _lines.ReadAsync<PipeResponse>(CancellationToken.None) is { } response)
            {
                Take(response);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or JsonException)
        {
            reason = exception is JsonException
                ? new IOException("The hub wrote a line that is no response.", exception)
                : reason;
        }

        // Later writes fail by themselves.
        while (_unanswered.TryDequeue(out var answer))
        {
            answer.SetException(reason);
        }

        _ended(reason);
    }

    private void Take(PipeResponse response)
    {
        if (response.Data is JsonElement { ValueKind: JsonValueKind.Object } data
            && data.TryGetProperty("EventName", out _))
        {
            _handler(data.Deserialize<PipeEvent>()!);
        }
        else if (_unanswered.TryDequeue(out var answer))
        {
            if (response.Success)
            {
                answer.SetResult();
            }
            else
            {
                answer.SetException(new IOException(response.Error));
            }
        }
    }
}
