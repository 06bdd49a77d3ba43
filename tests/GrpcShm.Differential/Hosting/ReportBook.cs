using System.Collections.Concurrent;

namespace GrpcShm.Differential.Hosting;

/// <summary>The place where handlers leave their reports for the senders of the requests.</summary>
internal sealed class ReportBook
{
    private readonly ConcurrentDictionary<CallMark, CallReport> _reports = new();
    private long _strays;

    /// <summary>The number of requests whose mark was missing or damaged, so that no sender knows them.</summary>
    public long Strays => Volatile.Read(ref _strays);

    public CallReport Open(CallMark mark) => _reports[mark] = new CallReport();

    public CallReport? Find(CallMark mark) => _reports.GetValueOrDefault(mark);

    public void Close(CallMark mark) => _reports.TryRemove(mark, out _);

    public void AddStray() => Interlocked.Increment(ref _strays);
}
