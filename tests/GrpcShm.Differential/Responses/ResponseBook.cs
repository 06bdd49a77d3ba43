using System.Collections.Concurrent;
using System.Globalization;

namespace GrpcShm.Differential.Responses;

/// <summary>The responses that are not finished. For any thread.</summary>
internal sealed class ResponseBook
{
    private readonly ConcurrentDictionary<long, ResponseAct> _acts = new();
    private long _last;

    public ResponseAct Open(ResponseScript script)
    {
        var act = new ResponseAct(Interlocked.Increment(ref _last), script);
        _acts[act.Id] = act;
        return act;
    }

    public ResponseAct? Find(string? id) =>
        long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? _acts.GetValueOrDefault(number)
            : null;

    public void Close(ResponseAct act) => _acts.TryRemove(act.Id, out _);
}
