using System.Globalization;
using Grpc.Core;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// Knows which machine waits for which. Two machines that wait for each other, over any number of others, would wait
/// until their time is over.
/// </summary>
/// <remarks>One thread may use it at a time: its owner guards it by a lock.</remarks>
internal sealed class WaitGraph
{
    // A client that lets chains of waiting machines grow must not make others pay for it: a longer circle ends by its
    // time-out.
    private const int MaxSteps = 1000;

    // A message names as many machines at most; ids may be long.
    private const int MaxNames = 8;

    private readonly Dictionary<string, List<MachineWait>> _byWaiting = new(StringComparer.Ordinal);

    /// <summary>How many waits there are.</summary>
    public int Count { get; private set; }

    public void Add(MachineWait wait)
    {
        if (!_byWaiting.TryGetValue(wait.Waiting, out var waits))
        {
            _byWaiting.Add(wait.Waiting, waits = []);
        }

        waits.Add(wait);
        Count++;
    }

    public bool Remove(MachineWait wait)
    {
        if (!_byWaiting.TryGetValue(wait.Waiting, out var waits) || !waits.Remove(wait))
        {
            return false;
        }

        if (waits.Count == 0)
        {
            _byWaiting.Remove(wait.Waiting);
        }

        Count--;
        return true;
    }

    /// <summary>Lists the waits of a machine.</summary>
    public IReadOnlyList<MachineWait> From(string waiting) =>
        _byWaiting.TryGetValue(waiting, out var waits) ? waits : [];

    /// <summary>
    /// Finds out whether a machine that waits for another one would wait for itself, directly or over others.
    /// </summary>
    /// <returns>The failure if it would; else success.</returns>
    public Verdict Check(string waiting, string awaited)
    {
        var path = new List<string> { waiting, awaited };
        return waiting == awaited || (_byWaiting.ContainsKey(awaited) && Find(waiting, path))
            ? Refuse(path)
            : Verdict.Ok;
    }

    // Depth first. Each machine is looked at once.
    private bool Find(string wanted, List<string> path)
    {
        var steps = 0;
        var seen = new HashSet<string>(StringComparer.Ordinal) { path[^1] };
        var open = new Stack<(int Depth, List<MachineWait> Waits, int Next)>();
        open.Push((path.Count, _byWaiting[path[^1]], 0));
        while (open.TryPop(out var at))
        {
            path.RemoveRange(at.Depth, path.Count - at.Depth);
            for (var i = at.Next; i < at.Waits.Count; i++)
            {
                if (++steps > MaxSteps)
                {
                    return false;
                }

                var wait = at.Waits[i];
                if (wait.IsOver)
                {
                    continue;
                }

                if (wait.Awaited == wanted)
                {
                    return true;
                }

                if (seen.Add(wait.Awaited) && _byWaiting.TryGetValue(wait.Awaited, out var further))
                {
                    open.Push(at with { Next = i + 1 });
                    path.Add(wait.Awaited);
                    open.Push((path.Count, further, 0));
                    break;
                }
            }
        }

        return false;
    }

    // The path does not hold its end, which is its beginning.
    private static Verdict Refuse(List<string> path)
    {
        var (waiting, awaited) = (path[0], path[1]);
        if (waiting == awaited)
        {
            return new Verdict(
                StatusCode.FailedPrecondition,
                $"The handler of the machine '{waiting}' cannot wait for the machine itself, which handles one event "
                + "after the other. Send the event without waiting for more than Accepted.",
                awaited);
        }

        var named = path.Take(MaxNames).Append(waiting).Select(static name => $"'{name}'");
        var others = path.Count > MaxNames
            ? string.Create(CultureInfo.InvariantCulture, $" ({path.Count - MaxNames} more between the last two)") : "";
        return new Verdict(
            StatusCode.FailedPrecondition,
            $"Handlers would wait for each other in a circle: {string.Join(" -> ", named)}{others}. "
            + "Send one of these events without waiting for more than Accepted.",
            awaited);
    }
}
