import type { AnnotationQuery, Dashboard, Panel } from '@grafana/schema';
import type { Options as BarGauge } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as Table } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { FieldConfig as Lines, Options as TimeSeries } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { TableFieldOptions } from '@grafana/schema';

/** As JSON has it: an enumeration of strings is the strings. */
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

type Target = { refId: string; expr: string; legendFormat: string; instant: boolean; range: boolean; format: 'time_series' | 'table'; editorMode: 'code'; exemplar?: boolean; datasource: object };

type Of<Type extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Type;
  options: Options;
  targets: Target[];
  fieldConfig: Omit<NonNullable<Panel['fieldConfig']>, 'defaults'> & {
    defaults: Omit<NonNullable<Panel['fieldConfig']>['defaults'], 'custom'> & { custom?: Custom };
  };
};

/** What Prometheus' data source reads beside the common fields. */
type Annotation = AnnotationQuery & { target: { expr: string; interval: string }; titleFormat: string; textFormat: string; tagKeys: string };

type Kinds =
  | Of<'timeseries', TimeSeries, Lines>
  | Of<'stat', Stat, never>
  | Of<'bargauge', BarGauge, never>
  | Of<'table', Omit<Table, 'frameIndex'>, Partial<TableFieldOptions>>;

export type Checked = Plain<Omit<Dashboard, 'panels' | 'annotations'> & { panels: Kinds[]; annotations: { list: Annotation[] } }>;
