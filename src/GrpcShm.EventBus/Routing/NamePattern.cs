namespace GrpcShm.EventBus.Routing;

/// <summary>A pattern, parsed once, so that it costs little to compare it with each event.</summary>
internal sealed class NamePattern
{
    // The cost of a pattern at worst, beside one that only says how a name begins. With a question mark after a star it
    // tries each position anew, which costs the product of the lengths; the length of a name has a bound of its own.
    private const int Cheap = 1;
    private const int Searching = 8;
    private const int Backtracking = 64;
    private const int BacktrackingLength = 64;

    private readonly string _pattern;
    private readonly string[] _parts;

    public NamePattern(string pattern)
    {
        _pattern = pattern;
        var wildcard = pattern.AsSpan().IndexOfAny('*', '?');
        Exact = wildcard < 0 ? pattern : null;
        Beginning = wildcard < 0 ? pattern : pattern[..wildcard];
        IsAny = pattern.Length > 0 && pattern.AsSpan().Trim('*').IsEmpty;
        var isBeginning = wildcard >= 0 && pattern.AsSpan(wildcard).Trim('*').IsEmpty;
        _parts = isBeginning || pattern.Contains('?', StringComparison.Ordinal)
            ? []
            : pattern[Math.Max(0, wildcard)..].Split('*', StringSplitOptions.None);
        Weight = Exact is not null || isBeginning ? Cheap
            : _parts.Length > 0 ? Searching
            : pattern.IndexOf('*', StringComparison.Ordinal) is var star && star >= 0 && pattern.IndexOf('?', star) > 0
                ? Backtracking * (1 + (pattern.Length / BacktrackingLength))
                : Searching;
    }

    /// <summary>True if it matches everything.</summary>
    public bool IsAny { get; }

    /// <summary>The characters before its first wildcard, with which each text begins that it matches.</summary>
    public string Beginning { get; }

    /// <summary>The one text that it matches, if it has no wildcards.</summary>
    public string? Exact { get; }

    /// <summary>The cost of a comparison at worst, in units of the cheapest pattern.</summary>
    public int Weight { get; }

    public bool Matches(string text)
    {
        if (IsAny)
        {
            return true;
        }

        if (Exact is not null)
        {
            return text == Exact;
        }

        if (!text.StartsWith(Beginning, StringComparison.Ordinal))
        {
            return false;
        }

        return _parts.Length > 0
            ? MatchesParts(text.AsSpan(Beginning.Length))
            : Weight == Cheap || Glob.Matches(_pattern, text);
    }

    // Each part is looked for at the first position where it stands, the last one at the end: the search is vectorized.
    private bool MatchesParts(ReadOnlySpan<char> rest)
    {
        // The first part is empty: the pattern goes on with a star here.
        for (var i = 1; i < _parts.Length - 1; i++)
        {
            var place = rest.IndexOf(_parts[i], StringComparison.Ordinal);
            if (place < 0)
            {
                return false;
            }

            rest = rest[(place + _parts[i].Length)..];
        }

        return rest.EndsWith(_parts[^1], StringComparison.Ordinal);
    }
}
