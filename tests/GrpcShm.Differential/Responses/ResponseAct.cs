using System.Text;

namespace GrpcShm.Differential.Responses;

/// <summary>A response of one of the two sides: the actions of its handler, and their results.</summary>
internal sealed class ResponseAct(long id, ResponseScript script)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly StringBuilder _seen = new();

    public long Id => id;

    public ResponseScript Script => script;

    /// <summary>Completes when the server has ended the request, with all callbacks.</summary>
    public Task Done => _done.Task;

    /// <summary>The connection that it came on.</summary>
    public string ConnectionId { get; set; } = "";

    /// <summary>How many bytes the handler has written so far. Only the handler uses it.</summary>
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
