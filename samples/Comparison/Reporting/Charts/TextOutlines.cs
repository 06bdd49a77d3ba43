using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SkiaSharp;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>
/// Replaces the text of an SVG picture by the outlines of its letters. Skia writes the name of a font and the place of
/// each letter. A viewer that does not have this font would take another one, whose letters do not fit the places.
/// </summary>
internal static partial class TextOutlines
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static string Apply(Stream svg, SKTypeface typeface)
    {
        var root = XDocument.Load(svg).Root!;

        // With this a viewer scales the picture to the room that it has.
        root.SetAttributeValue("viewBox", $"0 0 {root.Attribute("width")!.Value} {root.Attribute("height")!.Value}");
        root.SetAttributeValue("role", "img");

        // Each letter is described once for each size.
        var letters = new Dictionary<(int Character, float Size), XElement>();
        foreach (var text in root.Descendants(Svg + "text").ToList())
        {
            text.ReplaceWith(Outline(text, typeface, letters));
        }

        root.AddFirst(new XElement(Svg + "defs", letters.Values));
        return root.ToString(SaveOptions.DisableFormatting);
    }

    private static XElement Outline(
        XElement text, SKTypeface typeface, Dictionary<(int Character, float Size), XElement> letters)
    {
        var size = Number(text.Attribute("font-size")!.Value);
        var words = text.Value.Trim();
        var (xs, ys) = (Numbers(text.Attribute("x")), Numbers(text.Attribute("y")));

        // The label lets programs find the text, those that read pictures to people among them.
        var group = new XElement(Svg + "g", text.Attribute("transform"), text.Attribute("fill"));
        group.SetAttributeValue("aria-label", words);
        using var font = new SKFont(typeface, size);
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] == ' ')
            {
                continue;
            }

            if (!letters.TryGetValue((words[i], size), out var letter))
            {
                letter = Describe(font, words[i], letters.Count);
                letters.Add((words[i], size), letter);
            }

            group.Add(new XElement(
                Svg + "use",
                new XAttribute("href", "#" + letter.Attribute("id")!.Value),
                new XAttribute("x", Text(xs[i])),
                new XAttribute("y", Text(ys[Math.Min(i, ys.Length - 1)]))));
        }

        return group;
    }

    private static XElement Describe(SKFont font, char character, int number)
    {
        var glyph = font.GetGlyph(character);
        using var path = font.GetGlyphPath(glyph);
        if (glyph == 0 || path is null || path.IsEmpty)
        {
            throw new InvalidOperationException($"The font of the charts has no letter '{character}'.");
        }

        return new XElement(
            Svg + "path",
            new XAttribute("id", FormattableString.Invariant($"l{number}")),
            new XAttribute("d", Fraction().Replace(path.ToSvgPathData(), match => Text(Number(match.Value)))));
    }

    private static float[] Numbers(XAttribute? list) =>
        [.. (list?.Value ?? "0").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(Number)];

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);

    // A hundredth of a unit cannot be seen.
    private static string Text(float number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"-?[0-9]*\.[0-9]+(e-?[0-9]+)?")]
    private static partial Regex Fraction();
}
