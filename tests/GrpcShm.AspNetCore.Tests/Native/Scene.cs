using System.Collections.Concurrent;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>What the handlers of a host do, and what was noted while they did it.</summary>
internal sealed class Scene : IDisposable
{
    private readonly ConcurrentQueue<string> _notes = new();
    private readonly SemaphoreSlim _ended = new(0);
    private int _begun;

    /// <summary>What each handler does. It returns the last message; nothing if there is none.</summary>
    public Func<Act, Task<string>> Script { get; set; } = static act => Task.FromResult("");

    public IEnumerable<string> Notes => _notes;

    public void Dispose() => _ended.Dispose();

    public void Note(string note) => _notes.Enqueue(note);

    /// <summary>Notes that the scope of a call has begun.</summary>
    public void BeginScope() => Interlocked.Increment(ref _begun);

    /// <summary>Notes that it has ended.</summary>
    public void EndScope() => _ended.Release();

    /// <summary>Waits until all scopes have ended that have begun by now.</summary>
    public async Task WaitForEndAsync()
    {
        for (var i = Volatile.Read(ref _begun); i > 0; i--)
        {
            await _ended.WaitAsync(TestContext.Current.CancellationToken).InTime();
        }
    }
}
