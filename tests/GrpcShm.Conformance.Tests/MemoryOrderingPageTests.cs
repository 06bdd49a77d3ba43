using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests;

/// <summary>
/// The page on memory ordering names each field that several threads or processes use without a lock. A field that the
/// page does not name is one that nobody has thought about. A name without a field misleads the page's readers.
/// </summary>
public sealed partial class MemoryOrderingPageTests
{
    private const string Example = """
        internal sealed partial class Outer(string name)
        {
            private readonly Inner _inner = new();
            private int[] _slots = new int[3];
            private volatile bool _isOver; // Volatile.Read(ref _comment)
            private long _paid;
            private long _unpaid;
            private readonly Lock _gate = new();
            private int _locked;

            protected Lock Other { get; } = new();

            public void Do(bool paid)
            {
                var slots = Volatile.Read(ref _slots);
                Interlocked.Exchange(ref slots[Index(paid, name)], 1);
                Volatile.Write(ref paid ? ref _paid : ref _unpaid, "Volatile.Read(ref _string)".Length);
                Interlocked.Increment(ref _inner.Count);
                lock (this) { _locked++; }
            }

            private sealed class Inner
            {
                public int Count;
            }
        }
        """;

    [Fact]
    public void Page_FieldsThatAreLookedAtWithoutALock_AreAllNamed()
    {
        var fields = SourceFields.Of(Path.Join(SourceTree.Root, "src")).Unlocked().ToList();

        Assert.True(fields.Count > 100, "The scan finds too few fields to be right.");
        Assert.Empty(fields.Except(Named(Page())));
    }

    [Fact]
    public void Page_FieldsThatItNames_AllExist()
    {
        var sources = SourceFields.Of(Path.Join(SourceTree.Root, "src"));
        var named = Named(Page()).ToList();
        var gone = named.Where(name => !sources.Declares(name.Split('.')[0], name.Split('.')[1])).ToList();

        Assert.True(named.Count > 100, "The page names too few fields to be right.");
        Assert.Empty(gone);
    }

    [Fact]
    public void Page_FieldsThatItNames_AreNamedOnce() =>
        Assert.Empty(
            Named(Page()).CountBy(static name => name).Where(static c => c.Value > 1).Select(static c => c.Key));

    [Fact]
    public void Unlocked_Example_FindsEachKind() =>
        Assert.Equal(
            ["Inner.Count", "Outer._isOver", "Outer._paid", "Outer._slots", "Outer._unpaid"],
            new SourceFields([Example]).Unlocked());

    [Fact]
    public void Locks_Example_FindsFieldsAndProperties() =>
        Assert.Equal(["Outer._gate", "Outer.Other"], new SourceFields([Example]).Locks());

    [Fact]
    public void Page_OrderOfTheLocks_NamesThemAll()
    {
        var page = string.Join('\n', Page());
        var section = page[page.IndexOf("## The order of the locks", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", StringComparison.Ordinal)];
        var locks = SourceFields.Of(Path.Join(SourceTree.Root, "src")).Locks().ToList();

        var named = FieldPattern().Matches(section)
            .Where(static m => m.Groups[1].Success)
            .Select(static m => $"{m.Groups[1].Value}.{m.Groups[2].Value}")
            .ToList();

        Assert.True(locks.Count > 30, "The scan finds too few locks to be right.");
        Assert.Empty(locks.Except(named));
        Assert.Empty(named.Except(locks));
    }

    [Theory]
    [InlineData("Outer", "_locked", true)]
    [InlineData("Inner", "Count", true)]
    [InlineData("Inner", "_locked", false)]
    [InlineData("Outer", "Do", false)]
    public void Declares_Example_KnowsFieldsOfTheirTypesAlone(string type, string field, bool expected) =>
        Assert.Equal(expected, new SourceFields([Example]).Declares(type, field));

    [Theory]
    [InlineData("| `A._b`, `_c` | `D._e` |", "A._b A._c")]
    [InlineData("text\n| x | y |\n|---|---|\n| `A.B` by `C._d` | z |", "A.B C._d")]
    [InlineData("`A._b` outside of a table\n| the bytes | `A._b` |", "")]
    public void Named_FirstColumns_AreReadWithTheTypeBefore(string page, string expected) =>
        Assert.Equal(expected, string.Join(' ', Named(page.Split('\n'))));

    private static string[] Page() =>
        File.ReadAllLines(Path.Join(SourceTree.Root, "docs", "why", "memory-ordering.md"));

    /// <summary>
    /// The words in backticks in the first column of a table. A field without a type belongs to the type before it.
    /// </summary>
    private static IEnumerable<string> Named(IEnumerable<string> lines)
    {
        var rows = lines.Where(static line => line.StartsWith("| ", StringComparison.Ordinal));
        foreach (var cell in rows.Select(static row => row.Split('|')[1]))
        {
            var type = "";
            foreach (var match in FieldPattern().Matches(cell).AsEnumerable())
            {
                type = match.Groups[1].Success ? match.Groups[1].Value : type;
                if (type.Length > 0)
                {
                    yield return $"{type}.{match.Groups[2].Value}";
                }
            }
        }
    }

    [GeneratedRegex(@"`(?:(\w+)\.)?(\w+)`")]
    private static partial Regex FieldPattern();
}
