using System.Collections.Concurrent;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>What the handlers of a host do, and what was noted while they did it.</summary>
internal sealed class Scene
{
    private readonly ConcurrentQueue<string> _notes = new();
    private int _begun;
    private int _ended;

    /// <summary>What each handler does. It returns the last message; nothing if there is none.</summary>
    public Func<Act, Task<string>> Script { get; set; } = static act => Task.FromResult("");

    public IEnumerable<string> Notes => _notes;

    /// <summary>The contexts of the calls that have come to a handler.</summary>
    public ConcurrentQueue<ServerCallContext> Contexts { get; } = new();

    /// <summary>Forgets what was noted so far.</summary>
    public void Clear()
    {
        _notes.Clear();
        Contexts.Clear();
        _begun = 0;
        _ended = 0;
    }

    public void Note(string note) => _notes.Enqueue(note);

    /// <summary>Notes that the scope of a call has begun.</summary>
    public void BeginScope() => Interlocked.Increment(ref _begun);

    /// <summary>Notes that it has ended.</summary>
    public void EndScope() => Interlocked.Increment(ref _ended);

    /// <summary>Waits until all scopes have ended that have begun.</summary>
    /// <param name="begun">The number of scopes that begin at least.</param>
    public Task WaitForEndAsync(int begun = 0) => TimeLimit.UntilAsync(
        () => Volatile.Read(ref _ended) is var ended && ended >= begun && ended == Volatile.Read(ref _begun));
}
