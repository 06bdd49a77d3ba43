using System.Diagnostics;
using GrpcShm.Differential.Hosting;
using GrpcShm.Differential.Wire;

namespace GrpcShm.Differential.Requests;

/// <summary>
/// Sends requests to both sides and compares the outcomes. For one thread, with connections of its own.
/// </summary>
internal sealed class RequestWorker(DifferentialHost host, Findings findings, RequestCounts counts) : IDisposable
{
    // This is longer than any step takes, also on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(200);

    // If only one side refused a request, the other side may still be about to begin it. A busy machine may hold it up
    // for seconds. When the request is repeated to make it smaller, a difference is known already.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GraceOfRepetition = TimeSpan.FromMilliseconds(200);

    private DirectWire? _direct;
    private Http2Wire? _kestrel;
    private int _attempts;

    /// <summary>Sends a number of requests at once.</summary>
    public void Run(IReadOnlyList<GeneratedRequest> requests)
    {
        // A request that Kestrel refuses may end the connection, with all its requests. In direct mode no request may
        // do this.
        var direct = Send(Direct(), requests, 'd');
        var kestrel = Send(Kestrel(), [.. requests.Where(Acceptability.IsAcceptable)], 'k')
            .ToDictionary(static a => a.Request.Number);
        Collect(Direct(), direct);
        Collect(Kestrel(), [.. kestrel.Values]);
        foreach (var one in direct)
        {
            // Another request may have ended the connection.
            var own = one.Call.IsLost ? Instead(one, Direct, one.Request, 'd') : one;
            var other = kestrel.GetValueOrDefault(one.Request.Number);
            if (other is not { Call.IsLost: false })
            {
                other = Instead(other, Kestrel, one.Request, 'k');
            }

            // Even the connection on which it is alone may have been ended by the request before it, and this shows
            // only now.
            if (own.IsHandled && other is { IsHandled: false, Call.IsLost: true })
            {
                other = Instead(other, Kestrel, one.Request, 'k');
            }

            Judge(own, other);
            Close(other);
            Close(own);
        }
    }

    public void Dispose()
    {
        _direct?.Dispose();
        _kestrel?.Dispose();
    }

    private void Judge(Attempt direct, Attempt kestrel)
    {
        counts.Add(direct, kestrel);
        if (Find(direct, kestrel, Grace) is not { } what)
        {
            return;
        }

        var first = Differ(direct, kestrel, what);
        if (findings.IsEnough)
        {
            return;
        }

        if (Again(direct.Request) is not { } again)
        {
            findings.AddUnsteady(first);
            return;
        }

        var smallest = Minimise(direct.Request, again.What);
        findings.Add(Again(smallest) ?? again);
    }

    /// <summary>Sends a request alone and compares again.</summary>
    private Difference? Again(GeneratedRequest request)
    {
        var kestrel = RunAlone(Kestrel, request, 'k');
        var direct = RunAlone(Direct, request, 'd');
        Difference? difference = null;
        if (Find(direct, kestrel, GraceOfRepetition) is { } what)
        {
            difference = Differ(direct, kestrel, what);
        }

        Close(direct);
        Close(kestrel);
        return difference;
    }

    private static string? Find(Attempt direct, Attempt kestrel, TimeSpan grace)
    {
        var what = RequestComparison.Find(direct, kestrel);
        if (what is not null && direct.IsHandled != kestrel.IsHandled)
        {
            (direct.IsHandled ? kestrel : direct).Report.Wait(grace);
            what = RequestComparison.Find(direct, kestrel);
        }

        return what;
    }

    private static Difference Differ(Attempt direct, Attempt kestrel, string what) =>
        new(
            "request",
            direct.Request.Number,
            what,
            RequestComparison.Describe($"{direct.Request}", $"{direct}", $"{kestrel}"));

    private GeneratedRequest Minimise(GeneratedRequest request, string what)
    {
        for (var i = request.Fields.Count - 1; i >= 0; i--)
        {
            if (!request.Fields[i].IsMark)
            {
                var withoutOne = request with { Fields = [.. request.Fields.Take(i), .. request.Fields.Skip(i + 1)] };
                request = TryLess(what, request, withoutOne);
            }
        }

        request = TryLess(what, request, request with { Trailers = null });
        request = TryLess(what, request, request with { Splits = [] });
        request = TryLess(what, request, request with { Body = [] });
        return TryLess(what, request, request with { Reading = Reading.Pipe });
    }

    private GeneratedRequest TryLess(string what, GeneratedRequest request, GeneratedRequest less) =>
        Again(less)?.What == what ? less : request;

    private Attempt Instead(Attempt? lost, Func<IWire> wire, GeneratedRequest request, char side)
    {
        if (lost is not null)
        {
            Close(lost);
        }

        return RunAlone(wire, request, side);
    }

    private Attempt RunAlone(Func<IWire> wire, GeneratedRequest request, char side)
    {
        var attempts = Send(wire(), [request], side);
        Collect(wire(), attempts);
        return attempts[0];
    }

    private List<Attempt> Send(IWire wire, IReadOnlyList<GeneratedRequest> requests, char side)
    {
        var attempts = new List<Attempt>(requests.Count);
        foreach (var request in requests)
        {
            _attempts = (_attempts + 1) % 100;
            var mark = new CallMark(request.Number, side, _attempts, request.Reading, request.IsEndSeparate);
            var attempt = new Attempt(request, mark, host.Reports.Open(mark));
            attempts.Add(attempt);
            attempt.Call = wire.Send(request, mark.ToString());
        }

        return attempts;
    }

    private static void Collect(IWire wire, IReadOnlyList<Attempt> attempts)
    {
        var waited = TimeSpan.Zero;
        while (true)
        {
            var hasResets = false;
            var isOver = true;
            foreach (var attempt in attempts)
            {
                if (attempt.HasReachedReset)
                {
                    wire.Reset(attempt.Call);
                    attempt.IsReset = true;
                }

                isOver &= attempt.IsOver;
                hasResets |= attempt.Request.Ending == Ending.Reset && !attempt.IsOver;
            }

            if (isOver || waited > Patience)
            {
                break;
            }

            // This counts rounds and not time, since time goes on while the whole machine stands still.
            var started = Stopwatch.GetTimestamp();
            wire.Receive(hasResets ? 1 : 100);
            var look = Stopwatch.GetElapsedTime(started);
            waited += look < LongestLook ? look : LongestLook;
        }

        foreach (var attempt in attempts)
        {
            if (attempt.IsHandled)
            {
                attempt.Report.Wait(Patience);
            }
        }
    }

    private void Close(Attempt attempt)
    {
        host.Reports.Close(attempt.Mark);
        attempt.Report.Dispose();
    }

    private DirectWire Direct()
    {
        if (_direct is not { Ended: null })
        {
            _direct?.Dispose();
            _direct = new DirectWire(host.DirectPath);
        }

        return _direct;
    }

    private Http2Wire Kestrel()
    {
        if (_kestrel is not { Ended: null })
        {
            _kestrel?.Dispose();
            _kestrel = new Http2Wire(host.SocketPath);
        }

        return _kestrel;
    }
}
