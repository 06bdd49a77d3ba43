using System.Collections.Concurrent;

namespace GrpcShm.TestHost.Services;

/// <summary>Counts the attempts of calls that clients repeat, and the members of groups that meet.</summary>
internal sealed class AttemptRegistry
{
    private readonly ConcurrentDictionary<string, int> _attempts = new();

    /// <summary>Counts one more, and returns the new number.</summary>
    public int Count(string key) => _attempts.AddOrUpdate(key, 1, static (_, count) => count + 1);
}
