using System.Text;

namespace GrpcShm.Differential.Responses;

/// <summary>A response on one of its two ways: what its handler does, and what it sees of that.</summary>
internal sealed class ResponseAct(long id, ResponseScript script)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly StringBuilder _seen = new();

    public long Id => id;

    public ResponseScript Script => script;

    /// <summary>Completes when the request is over for the server, its callbacks included.</summary>
    public Task Done => _done.Task;

    /// <summary>The connection that it came on.</summary>
    public string ConnectionId { get; set; } = "";

    /// <summary>How many bytes it has written so far. The handler's own.</summary>
    public int Written { get; set; }

    public string Seen
    {
        get
        {
            lock (_gate)
            {
                return _seen.ToString();
            }
        }
    }

    public void Note(string what)
    {
        lock (_gate)
        {
            _seen.Append(what).Append('\n');
        }
    }

    public void End() => _done.TrySetResult();
}
