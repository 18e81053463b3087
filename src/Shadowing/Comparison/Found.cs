using System.Globalization;
using System.Runtime.CompilerServices;

namespace Shadowing.Comparison;

/// <summary>A difference, or a value that cannot be compared, with the steps of its path from the innermost outwards. Reused.</summary>
internal sealed class Found
{
    private (string Name, int Index)[] _steps = new (string, int)[8];
    private int _count;
    private object? _rowKey;

    public DifferenceKind Kind { get; set; }

    public object? Control { get; set; }

    public object? Candidate { get; set; }

    /// <summary>The name of the type that cannot be compared; null for a difference.</summary>
    public string? NotComparable { get; set; }

    /// <summary>The index of the row of which the last step says that it is within.</summary>
    public int Row => _steps[_count - 1].Index;

    /// <summary>It is within a member, or within a row of it.</summary>
    /// <param name="index">Of the row; negative where it is no row.</param>
    /// <param name="key">Of the row; the outermost one counts.</param>
    public void Within(string name, int index, object? key)
    {
        _rowKey = key ?? _rowKey;
        if (name.Length == 0 && index < 0) return;
        if (_count == _steps.Length) Array.Resize(ref _steps, _count * 2);
        _steps[_count++] = (name, index);
    }

    public void Clear()
    {
        Array.Clear(_steps, 0, _count);
        (_count, _rowKey, Control, Candidate, NotComparable) = (0, null, null, null, null);
    }

    public Difference Difference() => new(PathText(), Kind, Control, Candidate, _rowKey);

    public NotComparablePath Path() => new(Comparison.Difference.PatternOf(PathText()), NotComparable!);

    private string PathText()
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        var isFirst = true;
        for (var i = _count - 1; i >= 0; i--)
        {
            var (name, index) = _steps[i];
            if (!isFirst && name.Length > 0 && name[0] != '[') text.AppendLiteral(".");
            text.AppendLiteral(name);
            if (index >= 0)
            {
                text.AppendLiteral("[");
                text.AppendFormatted(index);
                text.AppendLiteral("]");
            }

            isFirst = false;
        }

        return text.ToStringAndClear();
    }
}
