using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests;

/// <summary>
/// The fields that C# sources declare, and the fields that they pass to <c>Interlocked</c> or <c>Volatile</c> or
/// declare <c>volatile</c>. They are found in the text, which has one style.
/// </summary>
internal sealed partial class SourceFields
{
    private readonly List<Source> _sources;
    private readonly HashSet<(string Type, string Field)> _declared = [];

    /// <param name="texts">The sources.</param>
    public SourceFields(IEnumerable<string> texts)
    {
        _sources = [.. texts.Select(static text => new Source(WithoutWords(text)))];
        foreach (var source in _sources)
        {
            foreach (var match in DeclarationPattern().Matches(source.Text).Where(m => source.TypesAt(m.Index).Any()))
            {
                _declared.Add((source.TypesAt(match.Index).First(), match.Groups[1].Value));
            }
        }
    }

    /// <summary>The sources of a folder.</summary>
    public static SourceFields Of(string folder) => new(
        Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains(
                $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText));

    /// <summary>True if a type declares a field, in any of its parts.</summary>
    public bool Declares(string type, string field) => _declared.Contains((type, field));

    /// <summary>The fields that several threads may use without a lock, as far as the text shows it.</summary>
    public IEnumerable<string> Unlocked() => _sources.SelectMany(Unlocked).Distinct().Order(StringComparer.Ordinal);

    /// <summary>The locks of all types: each <c>Lock</c>, and each object that serves as a lock.</summary>
    public IEnumerable<string> Locks() =>
    [
        .. from source in _sources
           from match in LockPattern().Matches(source.Text)
           let name = match.Groups[2].Value
           where match.Groups[1].Value == "Lock" || source.Text.Contains($"lock ({name})", StringComparison.Ordinal)
           select $"{source.TypesAt(match.Index).First()}.{name}",
    ];

    private IEnumerable<string> Unlocked(Source source)
    {
        foreach (var match in VolatilePattern().Matches(source.Text).AsEnumerable())
        {
            yield return $"{source.TypesAt(match.Index).First()}.{match.Groups[1].Value}";
        }

        foreach (var match in AccessPattern().Matches(source.Text).AsEnumerable())
        {
            var argument = source.Argument(match.Index + match.Length);
            var references = ReferencePattern().Split(argument);
            foreach (var name in references.Skip(references.Length > 1 ? 1 : 0).Select(LastName).OfType<string>())
            {
                foreach (var field in Resolve(source, match.Index, name))
                {
                    yield return field;
                }
            }
        }
    }

    /// <summary>
    /// Finds the field that a name means: a field of one of the types around it, of any other type, or the field that a
    /// local variable was made from. A parameter is no field: its caller knows what it stands for.
    /// </summary>
    private IEnumerable<string> Resolve(Source source, int index, string name)
    {
        var around = source.TypesAt(index).ToList();
        var own = around.Where(type => Declares(type, name)).Take(1).ToList();
        var types = own.Count > 0 ? own : [.. _declared.Where(d => d.Field == name).Select(static d => d.Type)];
        if (types.Count > 0)
        {
            return types.Select(type => $"{type}.{name}");
        }

        var local = new Regex($@"\b{name} = (?:ref )?([^;]+);").Match(source.Text);
        var made = FieldPattern().Matches(local.Groups[1].Value).Select(static m => m.Value)
            .Where(field => around.Exists(type => Declares(type, field))).ToList();
        return made.SelectMany(field => Resolve(source, index, field));
    }

    /// <summary>The last name of a path, without indices, which is the name of the field.</summary>
    private static string? LastName(string path)
    {
        var names = NamePattern().Matches(IndexPattern().Replace(path, ""));
        return names.Count == 0 ? null : names[^1].Value;
    }

    private static string WithoutWords(string text) =>
        WordsPattern().Replace(text, static m => m.Value[0] == '/' ? " " : "\"\"");

    [GeneratedRegex(
        @"//[^\n]*|/\*.*?\*/|@""[^""]*""|""""""[\s\S]*?""""""|""(?:\\.|[^""\\\n])*""|'(?:\\.|[^'\\])'",
        RegexOptions.Singleline)]
    private static partial Regex WordsPattern();

    [GeneratedRegex(
        @"^ +(?:(?:public|private|internal|protected|static|readonly|volatile|unsafe|fixed|required) )+"
            + @"[^\n=;(){}]*?\b(\w+)(?:\[[^\]]*\])?(?: =[^=>][^;]*)?;",
        RegexOptions.Multiline)]
    private static partial Regex DeclarationPattern();

    [GeneratedRegex(@"\b(Lock|object) (\w+)(?: = new\(\)| \{ get; \} = new\(\))")]
    private static partial Regex LockPattern();

    [GeneratedRegex(@"\bvolatile [^=;(){}]*?\b(\w+)(?: =[^;]*)?;")]
    private static partial Regex VolatilePattern();

    [GeneratedRegex(@"\b(?:Interlocked|Volatile)\.\w+(?:<[^>]*>)?\(\s*ref ")]
    private static partial Regex AccessPattern();

    [GeneratedRegex(@"[?:]\s*ref ")]
    private static partial Regex ReferencePattern();

    [GeneratedRegex(@"\[[^\[\]]*\]")]
    private static partial Regex IndexPattern();

    [GeneratedRegex(@"\b[A-Za-z_]\w*")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\b_\w+")]
    private static partial Regex FieldPattern();

    [GeneratedRegex(@"\b(?:class|struct|record|interface) (\w+)")]
    private static partial Regex TypePattern();

    /// <summary>One file, without comments and strings.</summary>
    private sealed class Source
    {
        private readonly List<(string Name, int Begin, int End)> _types = [];

        public Source(string text)
        {
            Text = text;
            foreach (var match in TypePattern().Matches(text).AsEnumerable())
            {
                // A type without a body ends before the next opening brace.
                var begin = text.IndexOfAny(['{', ';'], match.Index);
                if (begin >= 0 && text[begin] == '{')
                {
                    _types.Add((match.Groups[1].Value, match.Index, EndOf(begin, '{', '}')));
                }
            }
        }

        public string Text { get; }

        /// <summary>The types around a place, from the innermost outwards.</summary>
        public IEnumerable<string> TypesAt(int index) =>
            _types
                .Where(t => t.Begin <= index && index < t.End)
                .OrderByDescending(static t => t.Begin)
                .Select(static t => t.Name);

        /// <summary>The argument that begins at a place.</summary>
        public string Argument(int begin)
        {
            var depth = 0;
            for (var end = begin; ; end++)
            {
                var character = Text[end];
                if (depth == 0 && character is ',' or ')')
                {
                    return Text[begin..end];
                }

                depth += character is '(' or '[' or '<' ? 1 : character is ')' or ']' ? -1 : 0;
                depth -= character == '>' && Text[end - 1] != '-' ? 1 : 0;
            }
        }

        private int EndOf(int begin, char opening, char closing)
        {
            var depth = 0;
            for (var end = begin; end < Text.Length; end++)
            {
                depth += Text[end] == opening ? 1 : Text[end] == closing ? -1 : 0;
                if (depth == 0)
                {
                    return end;
                }
            }

            return Text.Length;
        }
    }
}
